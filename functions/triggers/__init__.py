"""The only importers of azure.functions: decode a trigger, call one use case, encode its answer."""
