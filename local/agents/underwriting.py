"""The underwriting assistant of an insurer: must look the rules up before it recommends anything."""

from agent_framework import tool

from local.agents.plan import Role
from local.agents.script import Assignment, SampleAgent, Script, ToolCall


def _write(assignment: Assignment) -> Script:
    person, random, plan = assignment.person, assignment.random, assignment.plan
    look_up = assignment.lookup_backend()
    product = random.choice(("home", "marine", "motor"))

    @tool(description="Look up the underwriting rules of a product.")
    def lookup_rules(product: str, applicant: str) -> str:
        look_up()
        return f"UW-{product}-12: refer above 500,000; no flood zone. Applicant {applicant}, {person.street}"

    @tool(description="Calculate the yearly premium.")
    def calculate_premium(product: str, payment: str) -> str:
        return f"{random.randint(300, 900)} a year for {product}, from {payment}"

    rules = ToolCall("lookup_rules", {"product": product, "applicant": person.national_id})
    premium = ToolCall("calculate_premium", {"product": product, "payment": person.card})
    return Script(
        question=f"Please assess a {product} {plan.intent} for {person.name}, {person.phone}.",
        calls=(*assignment.lookups(rules), premium),
        answer=f"Recommended within the rules; papers go to {person.street}.",
        tools=(lookup_rules, calculate_premium),
        request={"app.line_of_business": product},
    )


UNDERWRITING = SampleAgent(
    role=Role("underwriting-assistant", ("quote", "renewal"), (), data_dated=True),
    description="Prepares underwriting recommendations",
    instructions="Always call lookup_rules before you recommend. Never decide, only recommend.",
    model="gpt-4o",
    answering_model="gpt-4o-2024-11-20",
    prompt_version="underwriting-p12",
    prompt_tokens=1600,
    completion_tokens=180,
    write=_write,
)
