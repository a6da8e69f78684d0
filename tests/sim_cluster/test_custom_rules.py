"""Rules in the schemas of custom resources (``x-kubernetes-validations``), formats and ratcheting: the same on both APIs."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from projects.sim_cluster.api.cel.optionals import without_marks
from projects.sim_cluster.api.cel.programs import program
from projects.sim_cluster.api.cel.values import named
from tests.sim_cluster.comparing import Both
from tests.sim_cluster.talk import DEFINITIONS, MERGE, Client

CRDS = Path(__file__).parents[3] / "shared" / "crds"
RULES = "x-kubernetes-validations"
_TEXT = {"type": "string", "maxLength": 30}


def _rules(*rules: Any) -> dict[str, Any]:
    return {RULES: [rule if isinstance(rule, dict) else {"rule": rule} for rule in rules]}


_CHILD = {"type": "object", "required": ["name"], "properties": {
    "name": _TEXT, "v": {"type": "integer"} | _rules({"rule": "self >= oldSelf", "message": "only up"}),
}}  # fmt: skip
_SPEC = {"type": "object", "required": ["replicas"], "properties": {
    "replicas": {"type": "integer"} | _rules({"rule": "self != 7", "message": "not seven"}, "self != 8"),
    "minReplicas": {"type": "integer"}, "a": _TEXT, "boom": {"type": "boolean"}, "namespace": _TEXT,
    "fixed": _TEXT | _rules({"rule": "self == oldSelf", "message": "Value is immutable"}),
    "list": {"type": "array", "items": _TEXT, "maxItems": 10} | _rules("self.all(x, x.startsWith('a'))"),
    "set": {"type": "array", "items": _TEXT, "maxItems": 10, "x-kubernetes-list-type": "set"} | _rules("oldSelf.all(x, x in self)"),
    "kids": {"type": "array", "items": _CHILD, "maxItems": 5, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    "labels": {"type": "object", "maxProperties": 5, "additionalProperties": _TEXT | _rules("size(self) < 4")},
    "number": {"type": "number"} | _rules("self > 0.5"),
    "either": {"x-kubernetes-int-or-string": True} | _rules("type(self) == int ? self < 10 : self == '10%'"),
    "when": {"type": "string", "format": "date-time"} | _rules("self > timestamp('2020-01-01T00:00:00Z')"),
    "long": {"type": "string", "format": "duration"} | _rules("self <= duration('1h')"),
    "once": _TEXT | _rules({"rule": "!oldSelf.hasValue() || self == oldSelf.value()", "optionalOldSelf": True}),
    "max": {"type": "integer"},
}} | _rules(
    {"rule": "!has(self.minReplicas) || self.minReplicas <= self.replicas", "message": "min must not exceed replicas"},
    "!has(self.a) || self.a == 'x'",
    {"rule": "self.replicas < 50", "messageExpression": "'replicas are ' + (self.replicas > 55 ? 'huge' : 'big')"},
    {"rule": "self.replicas != 13", "message": "unlucky", "reason": "FieldValueForbidden", "fieldPath": ".replicas"},
    {"rule": "!has(self.boom) || self.list[7] == 'x'", "message": "boom"},
)  # fmt: skip
_SCHEMA = {"type": "object", "properties": {
    "spec": _SPEC, "status": {"type": "object", "properties": {"n": {"type": "integer"}}} | _rules("self.n < 5"),
}} | _rules(
    {"rule": "self.metadata.name.startsWith('c')", "message": "name must start with c"},
    "!has(self.spec.__namespace__) || self.spec.__namespace__ != 'bad'",
)  # fmt: skip

_NEW: list[dict[str, Any]] = [
    {"minReplicas": 6}, {"a": "y"}, {"replicas": 60}, {"replicas": 13}, {"boom": True}, {"replicas": 7}, {"replicas": 8},
    {"list": ["a", "b"]}, {"labels": {"a": "12345", "b": "1"}}, {"number": 0}, {"number": 1}, {"number": 0.4}, {"either": 11},
    {"either": "11%"}, {"either": "10%"}, {"when": "2019-01-01T00:00:00Z"}, {"when": "no"}, {"long": "2h"}, {"long": "1 week"},
    {"long": "5m"}, {"long": "no"}, {"namespace": "bad"}, {"replicas": "x"}, {"replicas": 7, "minReplicas": 9, "a": "q"},
]  # fmt: skip
_CHANGES: list[dict[str, Any]] = [
    {"fixed": "b"}, {"set": ["a"]}, {"kids": [{"name": "l", "v": 0}, {"name": "k", "v": 4}]}, {"once": "y"}, {"replicas": 30},
    {"minReplicas": 31}, {"list": ["b"]}, {"fixed": None}, {"kids": [{"name": "n", "v": 0}]},
]  # fmt: skip


def _definition(group: str, schema: dict[str, Any], name: str = "thing") -> dict[str, Any]:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
    }
    names = {"kind": name.capitalize(), "plural": f"{name}s"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{name}s.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}}  # fmt: skip


@pytest.fixture
def group(both: Both) -> Iterator[str]:
    """A group of its own; its definitions are gone after the test."""
    name = f"{both.namespace}.example.com"
    yield name
    for api in both.apis:
        api.ask("DELETE", f"{DEFINITIONS}/things.{name}")


def _said(api: Client, method: str, path: str, body: Any, content: str = "application/json") -> tuple[int, list[str]]:
    """Return the status, and the causes: in which order the server finds what is wrong inside of an object is Go's secret."""
    answer = api.ask(method, path, body, content)
    details = answer.body.get("details") or {}
    return answer.status, sorted(json.dumps(cause, sort_keys=True) for cause in details.get("causes", ()))


def _thing(group: str, name: str, spec: dict[str, Any] | None) -> dict[str, Any]:
    thing: dict[str, Any] = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": name}}
    return thing if spec is None else thing | {"spec": spec}


def _lives(api: Client, group: str, namespace: str) -> list[Any]:
    api.define(_definition(group, _SCHEMA))
    things = f"/apis/{group}/v1/namespaces/{namespace}/things"
    told: list[Any] = []
    for number, spec in enumerate(_NEW):
        told.append((spec, _said(api, "POST", things, _thing(group, f"c{number}", {"replicas": 5} | spec))))
    told += [_said(api, "POST", things, _thing(group, "x", {"replicas": 1}))]
    told += [_said(api, "POST", things, thing) for thing in (_thing(group, "cx", {}), _thing(group, "cx", None))]
    base = {"replicas": 20, "minReplicas": 2, "fixed": "a", "set": ["a", "b"], "once": "z", "list": ["a1"]}
    kids = [{"name": "k", "v": 3}, {"name": "l", "v": 1}]
    told += [_said(api, "POST", things, _thing(group, "cu", base | {"kids": kids}))]
    for change in _CHANGES:
        told.append((change, _said(api, "PATCH", f"{things}/cu", {"spec": change}, MERGE)))
    return told + [_said(api, "PATCH", f"{things}/cu/status", {"status": {"n": number}}, MERGE) for number in (9, 2)]


@pytest.mark.envtest
def test_the_lives_of_objects_with_rules(both: Both, group: str) -> None:
    real, simulated = (_lives(api, group, both.namespace) for api in both.apis)
    assert real == simulated
    assert [status for *_, (status, _) in real[: len(_NEW)]].count(201) == 3, real


@pytest.mark.envtest
def test_what_was_wrong_before_stays_unsaid_until_it_changes(both: Both, group: str) -> None:
    def script(api: Client) -> list[Any]:
        definition = _definition(group, _SCHEMA)
        api.define(definition)
        things = f"/apis/{group}/v1/namespaces/{both.namespace}/things"
        api.post(things, _thing(group, "cu", {"replicas": 30, "max": 30, "a": "x"}))
        tighter = copy.deepcopy(definition)
        spec = tighter["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        spec["properties"]["replicas"][RULES].append({"rule": "self != 30", "message": "thirty is out"})
        spec["properties"]["max"]["maximum"] = 25
        assert api.ask("PATCH", f"{DEFINITIONS}/things.{group}", {"spec": tighter["spec"]}, MERGE).status == 200
        api.try_creating(things, _thing(group, "cv", {"replicas": 30}), lambda answer: "thirty is out" in answer.text)
        changes = (
            {"replicas": 30},
            {"namespace": "n"},
            {"max": 31},
            {"max": 20},
            {"max": 30},
            {"replicas": 29},
            {"replicas": 30},
        )
        return [_said(api, "PATCH", f"{things}/cu", {"spec": change}, MERGE) for change in changes]

    real, simulated = (script(api) for api in both.apis)
    assert real == simulated


_EXPRESSIONS = [
    "'abc'.charAt(1) == 'b'", "'abc'.indexOf('c') == 2", "'abcabc'.indexOf('c', 3) == 5", "'abc'.lastIndexOf('z') == -1",
    "'aBc'.lowerAscii() == 'abc'", "'aBc'.upperAscii() == 'ABC'", "'a b c'.replace(' ', '_') == 'a_b_c'", "'a b c'.replace(' ', '_', 1) == 'a_b c'",
    "'a,b,c'.split(',') == ['a', 'b', 'c']", "'a,b,c'.split(',', 2) == ['a', 'b,c']", "'a,b,c'.split(',', 0).size() == 0", "'hello'.substring(1, 3) == 'el'",
    "'hello'.substring(3) == 'lo'", "'  x '.trim() == 'x'", "'abc 123'.find('[0-9]+') == '123'", "'123 abc 456'.findAll('[0-9]+') == ['123', '456']",
    "'123 abc 456'.findAll('[0-9]+', 1) == ['123']", "[1, 2, 3].isSorted()", "[2, 1].isSorted()", "[1, 2].sum() == 3", "[3, 1].min() == 1", "[3, 1].max() == 3",
    "[1, 2, 1].indexOf(1) == 0", "[1, 2, 1].lastIndexOf(1) == 2", "isURL('https://example.com:80/a?b=c')", "isURL('../no')",
    "url('https://example.com:80/a?b=c').getHostname() == 'example.com'", "url('https://example.com:80/a?b=c').getPort() == '80'",
    "url('https://example.com:80/a').getScheme() == 'https'", "url('https://example.com:80/a').getHost() == 'example.com:80'",
    "url('https://example.com/a/b').getEscapedPath() == '/a/b'", "url('https://example.com/?k=a&k=b').getQuery()['k'] == ['a', 'b']",
    "isQuantity('1.5Gi')", "isQuantity('many')", "quantity('1Gi').isGreaterThan(quantity('1000Mi'))", "quantity('500m').isLessThan(quantity('1'))",
    "quantity('1k').compareTo(quantity('1000')) == 0", "quantity('2').add(quantity('3')).asInteger() == 5", "sign(quantity('2').sub(3)) == -1",
    "quantity('1500m').isInteger()", "isIP('10.0.0.1')", "isIP('10.0.0')", "ip('::1').family() == 6", "isCIDR('10.0.0.0/8')",
    "cidr('10.0.0.0/8').containsIP('10.1.2.3')", "cidr('10.0.0.0/8').prefixLength() == 8", "self.?absent.orValue(3) == 3", "self.?n.orValue(3) == 1",
    "self.?absent.hasValue()", "'.?x' == '.' + '?x'", "[1, 2, 3].exists_one(x, x > 2)", "[1, 2].map(x, x * 2) == [2, 4]", "[1, 2].filter(x, x > 1) == [2]",
    "has(self.n) && self.n == 1", "self.n in [1, 2]", "'a'.matches('^[a-z]$')", "duration('90s') == duration('1m30s')", "int('3') == 3", "string(self.n) == '1'",
    "self.n > 0 ? true : false", "{'a': 1}.exists(k, k == 'a')", "double(self.n) == 1.0", "timestamp('2020-01-01T00:00:00Z').getFullYear() == 2020",
    "'%s %d %.2f %x %b'.format(['a', 1, 2.0, 255, 5]) == 'a 1 2.00 ff 101'", "'%s'.format([[1, 2]]) == '[1, 2]'", "[[1], [2]].flatten() == [1, 2]",
    "[1, 2].reverse() == [2, 1]", "[1, 2, 3].slice(1, 2) == [2]", "[1, 1].distinct() == [1]", "[2, 1].sort() == [1, 2]", "[1].first().value() == 1",
    "[1].last().orValue(2) == 1", "lists.range(2) == [0, 1]", "sets.contains([1, 2], [2])", "sets.equivalent([1, 1], [1])", "sets.intersects([1], [2])",
    "'abc'.contains('b')", "strings.quote('a') == '\"a\"'", "optional.of(1).hasValue()", "optional.none().hasValue()",
    "format.dns1123Label().validate('Bad').hasValue()", "format.dns1123Label().validate('good').hasValue()", "format.labelValue().validate('-').hasValue()",
    "format.dns1123Subdomain().validate('a.b').hasValue()", "format.dns1035Label().validate('1a').hasValue()", "format.qualifiedName().validate('a/b').hasValue()",
    "format.dns1123LabelPrefix().validate('a-').hasValue()", "format.named('dns1123Label').hasValue()", "format.datetime().validate('2020').hasValue()",
    "ip.isCanonical('::1')", "ip.isCanonical('0::1')", "ip('10.0.0.1').isGlobalUnicast()", "ip('127.0.0.1').isLoopback()", "ip('0.0.0.0').isUnspecified()",
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", "cidr('10.0.0.0/8').masked() == cidr('10.0.0.0/8')", "self.namespace == 'n'", "self.__namespace__ == 'n'",
    "isCIDR('10.0.0.0')", "isCIDR('10.0.0.0/255.0.0.0')", "isCIDR('10.0.0.0/08')", "isCIDR('10.0.0.0/33')", "isCIDR('10.1.2.3/8')", "isCIDR('::ffff:10.0.0.0/104')",
    "isIP('::ffff:1.2.3.4')", "isIP('fe80::1%eth0')", "isIP('010.0.0.1')", "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')",
    "cidr('10.1.2.3/8') == cidr('10.0.0.0/8')", "cidr('10.1.2.3/8').ip() == ip('10.1.2.3')", "string(cidr('10.1.2.3/8')) == '10.1.2.3/8'",
    "cidr('10.1.2.3/8').containsCIDR(cidr('10.1.0.0/16'))", "cidr('10.1.0.0/16').containsCIDR('10.0.0.0/8')", "cidr('10.1.2.3/8').containsIP(ip('10.9.9.9'))",
    "cidr('10.0.0.0/8').containsIP('::1')", "cidr('::1/128').containsCIDR('10.0.0.0/8')", "string(ip('0::1')) == '::1'", "cidr('::1/64').prefixLength() == 64",
    "1 / (self.n - 1) == 0", "[1][self.n] == 1",
]  # fmt: skip


@pytest.mark.envtest
def test_expressions_say_the_same(both: Both, group: str) -> None:
    """Each is a rule; which of them are broken is what an object that is refused says."""
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "n": {"type": "integer"}, "absent": {"type": "integer"}, "namespace": _TEXT,
    }} | _rules(*({"rule": text, "message": f"rule {number}"} for number, text in enumerate(_EXPRESSIONS)))}}  # fmt: skip

    def broken(api: Client) -> list[str]:
        api.define(_definition(group, schema))
        status, causes = _said(
            api,
            "POST",
            f"/apis/{group}/v1/namespaces/{both.namespace}/things",
            _thing(group, "c", {"n": 1, "namespace": "n"}),
        )
        assert status == 422
        return [json.loads(cause)["message"].replace("bounds: 1", "bounds") for cause in causes]

    real, simulated = (broken(api) for api in both.apis)
    assert real == simulated
    assert len(real) == 27


_BAD_RULES: list[dict[str, Any]] = [
    {}, {"rule": ""}, {"rule": "true", "message": "  "}, {"rule": "true", "message": "a\nb"}, {"rule": "true", "reason": "Nope"}, {"rule": "a\nb"},
    {"rule": "true", "fieldPath": "n"}, {"rule": "true", "fieldPath": ".nope"}, {"rule": "true", "optionalOldSelf": True}, {"rule": "self.nope == 1"},
    {"rule": "nope(self.n)"}, {"rule": "self.n == 1 && self.n.nope()"}, {"rule": "self.free.x == 1"}, {"rule": "self.l.all(x, x > y)"}, {"rule": "true", "messageExpression": "self.x + 'a'"},
]  # fmt: skip


def _with_rule(group: str, rule: dict[str, Any]) -> dict[str, Any]:
    fields = {"n": {"type": "integer"}, "l": {"type": "array", "maxItems": 3, "items": {"type": "integer"}},
              "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}  # fmt: skip
    return _definition(
        group, {"type": "object", "properties": {"spec": {"type": "object", "properties": fields, RULES: [rule]}}}
    )


@pytest.mark.envtest
@pytest.mark.parametrize("rule", _BAD_RULES, ids=str)
def test_rules_that_cannot_be(both: Both, group: str, rule: dict[str, Any]) -> None:
    real, simulated = (_said(api, "POST", DEFINITIONS, _with_rule(group, rule)) for api in both.apis)
    assert real == simulated
    assert real[0] == 422


@pytest.mark.envtest
def test_what_is_no_expression_is_refused_in_other_words(both: Both, group: str) -> None:
    rule = {"rule": "self.n <"}
    real, simulated = (_said(api, "POST", DEFINITIONS, _with_rule(group, rule)) for api in both.apis)
    for status, [cause] in (real, simulated):
        assert status == 422
        assert "compilation failed: ERROR: <input>:1:" in cause
        assert "Syntax error: " in cause


def test_a_rule_that_cannot_be_evaluated_is_told(client: Client, new_name: Callable[[str], str]) -> None:
    group = f"{new_name('g')}.example.com"
    answer = client.ask("POST", DEFINITIONS, _with_rule(group, {"rule": "semver('1.2.3').major() == self.n"}))
    assert answer.status == 201
    assert answer.headers["warning"] == (
        "299 - \"the simulated cluster does not evaluate this rule of version v1: semver('1.2.3').major() == self.n (semver)\""
    )
    client.ask("DELETE", f"{DEFINITIONS}/things.{group}")


_MAP = {"type": "object", "additionalProperties": {"type": "string"}}
_PAIR = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
_EITHER = [{"required": ["a"]}, {"required": ["b"]}]
_SHORT_OR_A = [{"pattern": "^a"}, {"maxLength": 2}]
_LIMITED: dict[str, dict[str, Any]] = {
    "few": _MAP | {"minProperties": 2}, "many": _MAP | {"maxProperties": 1}, "step": {"type": "integer", "multipleOf": 3},
    "open": {"type": "number", "minimum": 1, "exclusiveMinimum": True, "maximum": 3, "exclusiveMaximum": True},
    "any": _PAIR | {"anyOf": _EITHER}, "one": _PAIR | {"oneOf": _EITHER}, "all": _PAIR | {"allOf": _EITHER}, "no": _PAIR | {"not": _EITHER[0]},
    "anyText": {"type": "string", "anyOf": _SHORT_OR_A}, "allText": {"type": "string", "allOf": _SHORT_OR_A}, "oneText": {"type": "string", "oneOf": _SHORT_OR_A},
    "either": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}], "pattern": "^a"},
    "text": {"type": "string", "minLength": 1, "pattern": "^a"},
    "inner": {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
}  # fmt: skip
_BEYOND: list[dict[str, Any]] = [
    {"few": {"a": "1"}}, {"few": {}}, {"many": {"a": "1", "b": "2"}}, {"step": 4}, {"open": 1}, {"open": 3}, {"open": 0}, {"any": {}}, {"any": {"a": "x"}},
    {"one": {}}, {"one": {"a": "1", "b": "1"}}, {"all": {}}, {"all": {"a": "1"}}, {"no": {"a": "1"}}, {"no": {}}, {"anyText": "bcd"}, {"allText": "bcd"},
    {"allText": "abc"}, {"oneText": "a"}, {"oneText": "bcd"}, {"either": "b"}, {"either": 1}, {"either": True}, {"text": ""}, {"inner": {}},
    {"inner": {"apiVersion": "v1", "kind": "A b"}}, {"inner": {"apiVersion": "", "kind": ""}}, {"inner": {"apiVersion": "v1", "kind": "Pod"}},
]  # fmt: skip


@pytest.mark.envtest
def test_limits_and_schemas_made_of_schemas(both: Both, group: str) -> None:
    named = {"type": "object", "properties": {"name": {"type": "string", "pattern": "^o", "maxLength": 6}}}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": _LIMITED}, "metadata": named}}

    def script(api: Client) -> list[Any]:
        api.define(_definition(group, schema))
        things = f"/apis/{group}/v1/namespaces/{both.namespace}/things?dryRun=All"
        trials = [_thing(group, "ok", spec) for spec in _BEYOND] + [
            _thing(group, name, {}) for name in ("bad", "otoolong")
        ]
        return [(trial, _said(api, "POST", things, trial)) for trial in trials]

    real, simulated = (script(api) for api in both.apis)
    assert real == simulated


def _rules_in(node: Any) -> Iterator[str]:
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if key == RULES and isinstance(inner, list):
            yield from (rule[field] for rule in inner for field in ("rule", "messageExpression") if field in rule)
        else:
            yield from _rules_in(inner)


@pytest.mark.skipif(not CRDS.exists(), reason="../shared/crds is absent")
def test_every_rule_of_the_definitions_that_are_in_use_can_be_evaluated() -> None:
    rules = {rule for file in CRDS.glob("*.json") for rule in _rules_in(json.loads(file.read_text(encoding="utf-8")))}
    assert len(rules) > 500
    for rule in rules:
        program(rule)


_FORMATS = ["date-time", "date", "duration", "ipv4", "ipv6", "cidr", "mac", "uuid", "uuid4", "byte", "email", "hostname", "uri", "bsonobjectid", "hexcolor"]  # fmt: skip
_TEXTS = [
    "", "2020-01-01T00:00:00Z", "2020-01-01t00:00:00.5+02:00", "2020-01-01", "2020-13-01", "2020-1-1T00:00:00Z", "2020-01-01T00:00:00",
    "2020-01-01T25:00:00Z", "5m", "1h30m", "1 day", "3 weeks", "5", "1d", "1.5h", "-5m", "10.0.0.1", "10.0.0", "::1", "1::2::3", "10.0.0.0/8",
    "10.0.0.1/8", "::/0", "10.0.0.0/33", "01:23:45:67:89:ab", "123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-42d3-a456-426614174000",
    "123E4567E89B12D3A456426614174000", "YWJj", "YWJ", "Y*", "a@b.c", "a@b", "a b", "example.com", "-x.com", "a_b.com", "http://a/b", "/a/b", "a/b",
    "http//", "x:y", "507f1f77bcf86cd799439011", "#fff", "#ffffff", "localhost",
]  # fmt: skip


@pytest.mark.envtest
def test_formats(both: Both, group: str) -> None:
    fields = {form.replace("-", "_"): {"type": "string", "format": form} for form in _FORMATS}
    definition = _definition(
        group, {"type": "object", "properties": {**fields, "odd": {"type": "string", "format": "odd"}}}
    )

    def script(api: Client) -> list[Any]:
        warned = api.ask("POST", f"{DEFINITIONS}?dryRun=All", definition).headers["warning"]
        api.define(definition)
        things = f"/apis/{group}/v1/namespaces/{both.namespace}/things?dryRun=All"
        return [
            warned,
            *(_said(api, "POST", things, _thing(group, "c", None) | dict.fromkeys(fields, text)) for text in _TEXTS),
        ]

    real, simulated = (script(api) for api in both.apis)
    assert real == simulated


@pytest.mark.parametrize(("field", "written"), [
    ("plain", ("plain",)), ("namespace", ("namespace", "__namespace__")), ("in", ("__in__",)), ("a-b", ("a__dash__b",)),
    ("a.b/c", ("a__dot__b__slash__c",)), ("a__b", ("a__underscores__b",)),
])  # fmt: skip
def test_names_of_fields_in_expressions(field: str, written: tuple[str, ...]) -> None:
    assert named(field) == written


def test_optional_fields_are_written_as_calls() -> None:
    assert without_marks("self.?a.?b.orValue('.?c') == \".?d\"") == (
        "self.optionalField('a').optionalField('b').orValue('.?c') == \".?d\""
    )
