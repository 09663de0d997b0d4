"""`openlineage-java`, the reader that catalogues are built on, in the JVM of a classic session."""

from typing import Any, cast

from pyspark.sql import SparkSession

from localcloud.programs import jars

Column = tuple[str, str]
"""A dataset's name and a column of it."""


class Reader:
    """Reads events as a catalogue does, into Java objects with getters."""

    def __init__(self, spark: SparkSession) -> None:
        self._jvm = cast(Any, spark._jvm)
        gateway: Any = spark.sparkContext._gateway
        files = sorted(jars("lineage").glob("*.jar"))
        assert files, f"the reader's jars are required under {jars('lineage')}: run `make setup`"
        urls = gateway.new_array(self._jvm.java.net.URL, len(files))
        for position, file in enumerate(files):
            urls[position] = self._jvm.java.io.File(str(file)).toURI().toURL()
        parent = self._jvm.java.lang.Thread.currentThread().getContextClassLoader()
        self._loader = self._jvm.java.net.URLClassLoader(urls, parent)
        self._gateway = gateway

    def read(self, event: str) -> Any:
        """The event as `OpenLineage.RunEvent`."""
        return self._call("io.openlineage.client.OpenLineageClientUtils", "runEventFromJson", event)

    def place(self, location: str) -> tuple[str, str]:
        """Namespace and name that OpenLineage's integrations give to what lies at a URI."""
        uri = self._jvm.java.net.URI.create(location)
        found = self._call("io.openlineage.client.utils.filesystem.FilesystemDatasetUtils", "fromLocation", uri)
        return found.getNamespace(), found.getName()

    def _call(self, name: str, method: str, argument: Any) -> Any:
        """A static method of a class that the session's own class loader doesn't know."""
        kind = self._jvm.java.lang.Class.forName(name, True, self._loader)
        (found,) = (each for each in kind.getMethods() if each.getName() == method and each.getParameterCount() == 1)
        arguments = self._gateway.new_array(self._jvm.java.lang.Object, 1)
        arguments[0] = argument
        return found.invoke(None, arguments)


class Graph:
    """The tables that a catalogue has been told of, and where their columns come from."""

    def __init__(self, events: list[Any]) -> None:
        self._tables = {output.getName(): output for event in events for output in event.getOutputs()}

    def origins(self, dataset: str, column: str) -> set[Column]:
        """Where a column comes from in the end, through all tables between."""
        sources = self._sources(dataset, column)
        return set().union(*(self.origins(*source) for source in sources)) if sources else {(dataset, column)}

    def _sources(self, dataset: str, column: str) -> set[Column]:
        told = self._tables[dataset].getFacets().getColumnLineage() if dataset in self._tables else None
        field = told.getFields().getAdditionalProperties().get(column) if told else None
        return {(source.getName(), source.getField()) for source in field.getInputFields()} if field else set()
