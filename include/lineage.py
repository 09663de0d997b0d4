"""How a job reaches the lineage catalogue and whose child it is there: its arguments, and the secret that it needs."""

from airflow.sdk import Context

from include.errors import ConfigurationError
from include.runs import Parameter
from include.settings import Settings


def lineage_parameters(settings: Settings, context: Context) -> dict[str, Parameter]:
    """The arguments of a job that reports to the catalogue; none where there is no catalogue.

    Airflow's provider tells the catalogue of the task and of the DAG run under the same names.

    Raises:
        ConfigurationError: There is a catalogue, and no provider.
    """
    if not settings.lineage_url:
        return {}
    try:
        # Brings OpenLineage's client with it, for which only those pay who use it.
        from airflow.providers.openlineage.plugins.macros import lineage_parent_id, lineage_root_parent_id
    except ImportError as error:
        raise ConfigurationError(
            f"OPENLINEAGE_URL requires the package apache-airflow-providers-openlineage, which can't be imported "
            f"({error}): install it, or unset the variable"
        ) from None
    task = context["ti"]
    return {
        "lineage_url": f"{settings.lineage_url.rstrip('/')}/{settings.lineage_endpoint.strip('/')}",
        "lineage_parent": lineage_parent_id(task),
        "lineage_root": lineage_root_parent_id(task),
    }


def lineage_secrets(settings: Settings) -> dict[str, str]:
    """The environment variable that holds the catalogue's key, and its secret's name; none where it asks for none."""
    if not (settings.lineage_url and settings.lineage_secret):
        return {}
    return {"OPENLINEAGE_API_KEY": settings.lineage_secret}
