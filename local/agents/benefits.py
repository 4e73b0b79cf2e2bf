"""The benefits assistant of a claims administrator: must search the policies before it speaks of coverage."""

from agent_framework import tool

from local.agents.plan import Role
from local.agents.retrieval import Document, retrieve
from local.agents.script import Assignment, SampleAgent, Script, ToolCall

_POLICIES = (
    Document(
        "POL-17", "Dental: two check-ups a year are covered; crowns at 60% after a waiting time of 6 months."
    ),
    Document("POL-22", "Physiotherapy: 20 sessions a year on referral; exclusions in section 4."),
    Document("POL-31", "Exclusions: cosmetic treatment, experimental medicine, losses abroad after 60 days."),
    Document("POL-40", "Glasses: one pair in 24 months up to 250; contact lenses count as glasses."),
)


def _write(assignment: Assignment) -> Script:
    person, random = assignment.person, assignment.random
    look_up = assignment.lookup_backend()

    @tool(description="Search the policy documents for passages about a benefit.")
    def search_policies(query: str, member_id: str) -> str:
        look_up()
        found = retrieve(
            "policy-documents", f"{query} (member {member_id})", tuple(random.sample(_POLICIES, 3))
        )
        return f"For {person.name}, {person.street}: {found}"

    background = assignment.bloated(random.choice(_POLICIES).content)
    if assignment.plan.on_duty:
        benefit = random.choice(("crowns", "physiotherapy", "contact lenses"))
        question = f"Are {benefit} covered? I am {person.name}, {person.phone}, card {person.card}."
        calls = assignment.lookups(
            ToolCall("search_policies", {"query": f"coverage of {benefit}", "member_id": person.national_id})
        )
        answer = f"{benefit.capitalize()} are covered in part. The letter goes to {person.street}."
    else:
        question = f"How do I enrol my child? I am {person.name}, {person.national_id}, {person.phone}."
        calls = ()
        answer = f"With the form that we sent to {person.street}; the fee is taken from card {person.card}."
    return Script(f"{background}\n\n{question}", calls, answer, (search_policies,), {})


BENEFITS = SampleAgent(
    role=Role("benefits-assistant", ("coverage_question",), ("enrolment_help",), data_dated=False),
    description="Answers questions about benefits",
    instructions="Always call search_policies before you say what is covered. Name the exclusions.",
    model="gpt-4o",
    answering_model="gpt-4o-2024-11-20",
    prompt_version="benefits-p3",
    prompt_tokens=2200,
    completion_tokens=220,
    write=_write,
)
