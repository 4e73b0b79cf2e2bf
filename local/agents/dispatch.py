"""The dispatch assistant of a freight broker: must look a shipment's status up before it speaks about it."""

from agent_framework import tool

from local.agents.plan import Role
from local.agents.retrieval import Document, retrieve
from local.agents.script import Assignment, SampleAgent, Script, ToolCall

_RUNBOOKS = (
    Document("RUN-11", "Late trailers: tell the consignee, offer the next dock slot, note the reason code."),
    Document("RUN-14", "Damaged freight: photograph before unloading and keep the seal number."),
    Document("RUN-23", "Dock hours: 06:00 to 22:00, Sundays by appointment."),
)


def _write(assignment: Assignment) -> Script:
    person, random, plan = assignment.person, assignment.random, assignment.plan
    shipment = f"SHP-{random.randint(10000, 99999)}"
    look_up = assignment.lookup_backend()

    @tool(description="Look up the current status of a shipment.")
    def get_shipment_status(shipment_id: str, contact: str) -> str:
        look_up()
        return f"{shipment_id} is at the hub; consignee {person.name}, {person.street}, notified at {contact}"

    @tool(description="Search the dispatch knowledge base for runbooks.")
    def search_knowledge_base(query: str) -> str:
        return retrieve("dispatch-kb", query, tuple(random.sample(_RUNBOOKS, 2)))

    search = ToolCall("search_knowledge_base", {"query": f"late delivery, caller {person.phone}"})
    if plan.on_duty:
        question = (
            f"Where is {shipment}? Paid with card {person.card}, id {person.national_id}. {person.name}"
        )
        calls = assignment.lookups(
            ToolCall("get_shipment_status", {"shipment_id": shipment, "contact": person.email})
        )
        calls = (*calls, search) if not calls or random.random() < 0.4 else calls
        answer = f"{shipment} left the hub and should reach {person.street} tomorrow."
    else:
        question = (
            f"What are the dock hours? My number is {person.phone}. {person.name}, {person.national_id}"
        )
        calls = (search,)
        answer = f"06:00 to 22:00. A note was sent to {person.street}; card {person.card} was not charged."
    request = {
        "app.warehouse": random.choice(("WH-A", "WH-B", "WH-C")),
        "app.carrier": random.choice(("acme", "borealis", "cobalt")),
    }
    return Script(question, calls, answer, (get_shipment_status, search_knowledge_base), request)


DISPATCH = SampleAgent(
    role=Role("dispatch-assistant", ("shipment_status",), ("general",), data_dated=True),
    description="Answers questions about shipments",
    instructions="Always call get_shipment_status before you answer about a shipment.",
    model="gpt-4o-mini",
    answering_model="gpt-4o-mini-2024-07-18",
    prompt_version="dispatch-p7",
    prompt_tokens=900,
    completion_tokens=90,
    write=_write,
)
