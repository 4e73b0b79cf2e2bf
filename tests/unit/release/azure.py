"""What the Azure CLI prints, written down by hand from the documentation of each command.

- graph query: `count`, `data`, `skip_token`, `total_records`
  (https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data)
- diagnostic-settings list (https://learn.microsoft.com/rest/api/monitor/diagnostic-settings/list), flattened
  by the CLI; `categoryGroup` or `category` with `enabled`
- app-insights component show: the properties of
  https://learn.microsoft.com/javascript/api/@azure/arm-appinsights/applicationinsightscomponentproperties
- log-analytics workspace show (https://learn.microsoft.com/rest/api/loganalytics/workspaces/get)
- workspace table show (https://learn.microsoft.com/rest/api/loganalytics/tables/get)
- role assignment list (https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-cli)
- app-insights query: `tables` with `columns` and `rows`
  (https://learn.microsoft.com/rest/api/application-insights/query/get)
"""

from typing import Any

from tests.fakes.azure_cli import Fails

SUBSCRIPTION = "11111111-aaaa-4aaa-8aaa-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-Agents/providers"
OPENAI = f"{GROUP}/Microsoft.CognitiveServices/accounts/contoso-openai"
PROJECT = f"{OPENAI}/projects/contoso-project"
SEARCH = f"{GROUP}/Microsoft.Search/searchServices/contoso-search"
COMPONENT = f"{GROUP}/microsoft.insights/components/contoso-traces"
WORKSPACE = f"{GROUP}/Microsoft.OperationalInsights/workspaces/contoso-logs"
SECRET = "InstrumentationKey=22222222-bbbb-4bbb-8bbb-222222222222"
PERSON = "33333333-cccc-4ccc-8ccc-333333333333"
APP = "44444444-dddd-4ddd-8ddd-444444444444"
ADDRESS = "ada.lovelace@contoso.com"
HOSTILE = "\x1b[2J=cmd|'/C calc'!A0\u202e<script>"


def row(id_: str, type_: str, tags: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    name = id_.rpartition("/")[2]
    return {
        "id": id_,
        "name": name,
        "type": type_,
        "kind": "",
        "location": "westeurope",
        "tags": tags,
        **more,
    }


def rows() -> list[dict[str, Any]]:
    return [
        row(
            OPENAI,
            "microsoft.cognitiveservices/accounts",
            {"Owner": ADDRESS, "note": HOSTILE},
            endpoint="https://contoso-openai.openai.azure.com/",
            local_auth_disabled=True,
            public_network="Disabled",
        ),
        row(PROJECT, "microsoft.cognitiveservices/accounts/projects"),
        row(SEARCH, "microsoft.search/searchservices", {"team": "search-team"}),
        row(COMPONENT, "microsoft.insights/components", {"owner": "platform"}),
        row(WORKSPACE, "microsoft.operationalinsights/workspaces"),
    ]


def graph(found: list[dict[str, Any]], total: int | None = None, token: str | None = None) -> dict[str, Any]:
    total = len(found) if total is None else total
    return {"count": len(found), "data": found, "skip_token": token, "total_records": total}


def setting(workspace: str | None = WORKSPACE) -> dict[str, Any]:
    return {
        "id": f"{OPENAI}/providers/microsoft.insights/diagnosticSettings/to-logs",
        "name": "to-logs",
        "type": "Microsoft.Insights/diagnosticSettings",
        "workspaceId": workspace,
        "logs": [
            {"categoryGroup": "audit", "enabled": True, "retentionPolicy": {"days": 0, "enabled": False}},
            {"category": "RequestResponse", "enabled": True},
            {"category": "Trace", "enabled": False},
        ],
        "metrics": [{"category": "AllMetrics", "enabled": True}],
    }


def assignment(role: str, principal: str, kind: str, scope: str = WORKSPACE) -> dict[str, Any]:
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/55555555-eeee-4eee-8eee-55555555",
        "principalId": principal,
        "principalName": ADDRESS,
        "principalType": kind,
        "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/x",
        "roleDefinitionName": role,
        "scope": scope,
    }


def answers() -> dict[tuple[str, ...], Any]:
    """Return what a healthy subscription answers."""
    return {
        ("account", "show"): {
            "id": SUBSCRIPTION,
            "name": "Agents",
            "user": {"name": ADDRESS, "type": "user"},
        },
        ("graph", "query"): graph(rows()),
        ("diagnostic-settings", "list"): [],
        ("diagnostic-settings", "list", OPENAI.lower()): [setting()],
        ("component", "show", COMPONENT.lower()): {
            "appId": "66666666-ffff-4fff-8fff-666666666666",
            "connectionString": SECRET,
            "instrumentationKey": SECRET.partition("=")[2],
            "workspaceResourceId": WORKSPACE,
            "retentionInDays": 90,
            "samplingPercentage": None,
            "disableLocalAuth": True,
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
        },
        ("workspace", "show", WORKSPACE.lower()): {
            "customerId": "77777777-abab-4bab-8bab-777777777777",
            "retentionInDays": 90,
            "sku": {"name": "PerGB2018"},
        },
        ("workspace", "table", "show"): {
            "plan": "Analytics",
            "retentionInDays": 90,
            "totalRetentionInDays": 365,
        },
        ("workspace", "table", "show", "AppGenAIContent"): Fails("ERROR: (ResourceNotFound) no such table"),
        ("role", "assignment", "list"): [
            assignment("Reader", PERSON, "User"),
            assignment("Privileged Monitoring Data Reader", APP, "ServicePrincipal"),
            assignment("Monitoring Metrics Publisher", APP, "ServicePrincipal"),
            assignment("Our own role", APP, "ServicePrincipal"),
        ],
        ("app-insights", "query"): {
            "tables": [
                {
                    "name": "PrimaryResult",
                    "columns": [{"name": "host", "type": "string"}, {"name": "rows", "type": "long"}],
                    "rows": [["contoso-openai.openai.azure.com", 40], ["", 60]],
                }
            ]
        },
    }
