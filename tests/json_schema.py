"""Validation by the part of JSON schema that the schema of case files is written in."""

TYPES = {
    "object": lambda x: isinstance(x, dict),
    "array": lambda x: isinstance(x, list),
    "string": lambda x: isinstance(x, str),
    "boolean": lambda x: isinstance(x, bool),
    "integer": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "number": lambda x: isinstance(x, int | float) and not isinstance(x, bool),
    "null": lambda x: x is None,
}
# Words about numbers, texts, lists and tables; values of other types satisfy them.
BOUNDS = {
    "minimum": ("number", lambda x, b: x >= b),
    "maximum": ("number", lambda x, b: x <= b),
    "exclusiveMinimum": ("number", lambda x, b: x > b),
    "exclusiveMaximum": ("number", lambda x, b: x < b),
    "minLength": ("string", lambda x, b: len(x) >= b),
    "maxLength": ("string", lambda x, b: len(x) <= b),
    "minItems": ("array", lambda x, b: len(x) >= b),
    "maxItems": ("array", lambda x, b: len(x) <= b),
    "minProperties": ("object", lambda x, b: len(x) >= b),
    "maxProperties": ("object", lambda x, b: len(x) <= b),
    "required": ("object", lambda x, b: set(b) <= x.keys()),
    "dependentRequired": ("object", lambda x, b: all(set(v) <= x.keys() for k, v in b.items() if k in x)),
}
SAID = {"title", "description", "default", "discriminator", "$defs", "$schema", "additionalProperties", "then"}


def same(a, b):
    """Return whether two values are equal: true is not 1 in JSON."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def valid(value, schema, root):
    """Return whether a value satisfies a schema; a word that this does not know is an error."""
    if isinstance(schema, bool):
        return schema
    return all(_satisfies(value, word, rule, schema, root) for word, rule in schema.items())


def _satisfies(value, word, rule, schema, root):
    if word in SAID - {"additionalProperties"}:
        return True
    if word == "$ref":
        return valid(value, root["$defs"][rule.rpartition("/")[2]], root)
    if word == "type":
        return TYPES[rule](value)
    if word in ("const", "enum"):
        return any(same(value, x) for x in ([rule] if word == "const" else rule))
    if word in BOUNDS:
        of, holds = BOUNDS[word]
        return not TYPES[of](value) or holds(value, rule)
    if word in ("allOf", "anyOf", "oneOf"):
        count = sum(valid(value, x, root) for x in rule)
        return count == len(rule) if word == "allOf" else count >= 1 if word == "anyOf" else count == 1
    if word == "not":
        return not valid(value, rule, root)
    if word == "if":
        return not valid(value, rule, root) or valid(value, schema["then"], root)
    if word == "contains":
        return not isinstance(value, list) or any(valid(x, rule, root) for x in value)
    if word == "items":
        return not isinstance(value, list) or all(valid(x, rule, root) for x in value)
    return not isinstance(value, dict) or _of_object(value, word, rule, schema, root)


def _of_object(value, word, rule, schema, root):
    if word == "properties":
        return all(valid(value[k], x, root) for k, x in rule.items() if k in value)
    if word == "additionalProperties":
        others = value.keys() - schema.get("properties", {}).keys()
        return all(valid(value[k], rule, root) for k in others)
    if word == "propertyNames":
        return all(valid(k, rule, root) for k in value)
    if word == "dependentSchemas":
        return all(valid(value, x, root) for k, x in rule.items() if k in value)
    raise NotImplementedError(word)
