"""Writes src/ops/spec.generated.ts: the schemas of the standard from the `onnx` package, and those of the operators that
onnxruntime adds to it (com.microsoft, com.microsoft.nchwc, and what it keeps in ai.onnx) from the `onnxruntime` package.

Run: python tools/spec/generate.py   (needs `pip install onnx onnxruntime`; only when one of them moves on)
"""

import json
import math
import pathlib

import numpy
import onnx
import onnxruntime
from onnx import defs
from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema

TYPES = {
    "FLOAT": "float", "INT": "int", "STRING": "string", "TENSOR": "tensor", "GRAPH": "graph",
    "FLOATS": "floats", "INTS": "ints", "STRINGS": "strings", "TENSORS": "tensors", "GRAPHS": "graphs",
    "SPARSE_TENSOR": "sparse", "SPARSE_TENSORS": "sparses", "TYPE_PROTO": "type", "TYPE_PROTOS": "types",
}
TS = {
    "float": "number", "int": "number", "string": "string", "tensor": "Tensor", "graph": "Body",
    "floats": "readonly number[]", "ints": "readonly number[]", "strings": "readonly string[]",
    "tensors": "readonly Tensor[]", "graphs": "readonly Body[]", "sparse": "SparseTensor",
    "sparses": "readonly SparseTensor[]", "type": "ValueType", "types": "readonly ValueType[]",
}
DTYPE = {"float": "float32", "double": "float64"}
MARK = {"Single": "", "Optional": "?", "Variadic": "*"}
# Written down by hand in src/ops/blocked-attributes.ts, where everything is spelled out.
TYPED_ELSEWHERE = "com.microsoft.nchwc"


def dtype(text):
    """An element type by the project's name; sequences, maps and optionals stay as the standard writes them."""
    if text.startswith("tensor("):
        inner = text[len("tensor("):-1]
        return DTYPE.get(inner, inner)
    return text


def parameter(name, option, type_str, homogeneous):
    """`A:T`, marked by `?` if optional, `*` if variadic, `**` if variadic of mixed types."""
    mark = MARK[option]
    return f"{name}{mark}{'*' if mark == '*' and not homogeneous else ''}:{type_str}"


def plain(attribute):
    """The value of an AttributeProto; None where there is none."""
    if not attribute.name and attribute.type == 0:
        return None
    got = onnx.helper.get_attribute_value(attribute)
    if isinstance(got, bytes):
        return got.decode()
    if isinstance(got, float):
        return number(got)
    if isinstance(got, (list, tuple)):
        return [g.decode() if isinstance(g, bytes) else g for g in got]
    return got


def number(value):
    """A float32 as the double that it is read as; -0 keeps its sign."""
    whole = value == int(value) and not (value == 0 and math.copysign(1, value) < 0)
    return int(value) if whole else numpy.float32(value).item()


def attribute(type_name, required, default):
    """`"int"`, `"int!"` if required, `["int", 0]` with a default."""
    kind = TYPES[type_name]
    return [kind, default] if default is not None else kind + ("!" if required else "")


def row(since, deprecated, inputs, outputs, least, attributes, constraints):
    needed = [max([i + 1 for i, p in enumerate(side) if "?" not in p and "*" not in p], default=0) for side in (inputs, outputs)]
    return {
        "since": since,
        **({"deprecated": True} if deprecated else {}),
        **({"inputs": inputs} if inputs else {}),
        **({"outputs": outputs} if outputs else {}),
        # How many there must be, where that is not the number of those that are neither optional nor variadic.
        **({"least": least} if least != needed else {}),
        **({"attributes": dict(sorted(attributes.items()))} if attributes else {}),
        **({"types": {name: sorted({dtype(t) for t in allowed}) for name, allowed in constraints}} if constraints else {}),
    }


def standard_row(schema):
    def parameters(formal):
        return [parameter(p.name, p.option.name, p.type_str, p.is_homogeneous) for p in formal]

    return row(
        schema.since_version, schema.deprecated, parameters(schema.inputs), parameters(schema.outputs),
        [schema.min_input, schema.min_output],
        {name: attribute(a.type.name, a.required, plain(a.default_value)) for name, a in schema.attributes.items()},
        [(c.type_param_str, c.allowed_type_strs) for c in schema.type_constraints],
    )


def runtime_row(schema):
    def parameters(formal):
        return [parameter(p.name, p.option.name, p.typeStr, p.isHomogeneous) for p in formal]

    def default(a):
        return plain(onnx.AttributeProto.FromString(a._default_value)) if a._default_value else None

    return row(
        schema.since_version, schema.deprecated, parameters(schema.inputs), parameters(schema.outputs),
        [schema.min_input, schema.min_output],
        {name: attribute(a.type.name, a.required, default(a)) for name, a in schema.attributes.items()},
        [(c.type_param_str, c.allowed_type_strs) for c in schema.type_constraints],
    )


def key_of(schema):
    return schema.name if schema.domain == "" else f"{schema.domain}.{schema.name}"


rows = {}
for schema in defs.get_all_schemas_with_history():
    if schema.domain in ("", "ai.onnx.ml"):
        rows.setdefault(key_of(schema), []).append(standard_row(schema))
known = {(key, version["since"]) for key, versions in rows.items() for version in versions}
for schema in get_all_operator_schema():
    added = schema.domain == "" and (key_of(schema), schema.since_version) not in known
    if added or schema.domain in ("com.microsoft", "com.microsoft.nchwc"):
        # Under the standard's own domain a row says that it is not the standard's.
        rows.setdefault(key_of(schema), []).append({**runtime_row(schema), **({"engine": True} if added else {})})

# Type lists repeat a lot: keep each once.
lists, index = [], {}
for key in sorted(rows):
    rows[key].sort(key=lambda s: s["since"])
    for s in rows[key]:
        for k, v in s.get("types", {}).items():
            t = tuple(v)
            if t not in index:
                index[t] = len(lists)
                lists.append(v)
            s["types"][k] = index[t]


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def field(name, a):
    kind, sure = (a[0], True) if isinstance(a, list) else (a.rstrip("!"), a.endswith("!"))
    return f"readonly {name}{'' if sure else '?'}: {TS[kind]}{'' if sure else ' | undefined'}"


def typed(key):
    """The version whose attributes rules read: the newest, or outside of ai.onnx the newest that is not deprecated."""
    if key.startswith(TYPED_ELSEWHERE):
        return None
    newest = rows[key][-1]
    if newest.get("deprecated") and "." in key:
        return next((s for s in reversed(rows[key]) if not s.get("deprecated")), None)
    return None if newest.get("deprecated") else newest


target = pathlib.Path(__file__).resolve().parents[2] / "src/ops/spec.generated.ts"
versions = f"onnx {onnx.__version__} (opset {defs.onnx_opset_version()}) and onnxruntime {onnxruntime.__version__}"
lines = [
    f"// Generated by tools/spec/generate.py from {versions}. Do not edit.",
    "",
    "import type { ValueType } from '../base/shape.ts'",
    "import type { Tensor } from '../base/tensor.ts'",
    "import type { Body, SparseTensor } from '../graph/graph.ts'",
    "import { schemasFrom } from './schema-rows.ts'",
    "",
    f"export const newestOpset = {defs.onnx_opset_version()}",
    "",
    "/** Lists of allowed types that the schemas' constraints refer to by number. */",
    "export const typeLists: readonly (readonly string[])[] = [",
    *[f"  {json.dumps(t, separators=(',', ':'))}," for t in lists],
    "]",
    "",
    "/**",
    " * Every version of every operator of the standard, and of those that onnxruntime adds, oldest first. Other domains than",
    " * ai.onnx stand under `domain.Name`. `schema-rows.ts` says how a row reads.",
    " */",
    "export const schemas = schemasFrom({",
]
for key in sorted(rows):
    lines.append(f"  {json.dumps(key)}: [")
    lines += [f"    {quoted(json.dumps(s, separators=(',', ':')))}," for s in rows[key]]
    lines.append("  ],")
lines += ["})", "", "/** Attributes of the newest version of each operator, as rules read them: defaults filled in. */", "export interface AttributesOf {"]
for key in sorted(rows):
    version = typed(key)
    if version is None:
        continue
    fields = [field(name, a) for name, a in version.get("attributes", {}).items()]
    lines.append(f"  {json.dumps(key)}: {{ {'; '.join(fields)} }}" if fields else f"  {json.dumps(key)}: Record<never, never>")
lines += ["}", ""]
target.write_text("\n".join(lines))
print(f"{target.name}: {len(rows)} operators, {sum(map(len, rows.values()))} schemas, {target.stat().st_size} bytes")
