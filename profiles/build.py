"""Builds the dataclasses of `model` from a checked tree. `loader` calls it.

It has no checks of its own, because the tree has no mistakes at this point.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from fencelab_yaml.source import YamlList, YamlMap, plain
from profiles import model, template
from profiles.blocks import STATES
from profiles.data import frozen
from profiles.resource_files import NO_FILES, ResourceFiles

Data = dict[str, Any]
OF_A_MACHINE: Final = frozenset({"serial", "mac"})
"""The `vars` that are a sample: each machine of a rack has its own."""
FORMS: Final = ("sku", "root_uuid", "system_uuid")
"""Values of `identity` that may spell what a machine has for itself. They are filled when it is shown."""


def build(
    root: YamlMap, extends: tuple[str, ...], overrides: Mapping[str, str], files: ResourceFiles = NO_FILES
) -> model.Profile:
    """Builds the profile. `files` are the JSON files that `resources` names.

    `overrides` replace `vars`, for example a serial number; they do not change the digest.
    """
    data = cast(Data, plain(root))
    variables = template.filled_vars(data["vars"], overrides)
    identity = {key: template.fill(value, variables) for key, value in data["identity"].items() if key != "evidence"}
    words = {**identity, **variables}
    types_only = {name: text for name, text in variables.items() if name not in OF_A_MACHINE and name not in overrides}
    identity |= {key: template.fill(data["identity"][key], types_only) for key in FORMS if key in identity}
    return model.Profile(
        id=data["id"],
        title=data["title"],
        extends=extends,
        abstract=data.get("abstract", False),
        firmware=frozen(data.get("firmware", {})),
        sources=frozen({name: model.Source(**source) for name, source in data.get("sources", {}).items()}),
        vars=frozen(variables),
        given=tuple(overrides.items()),
        ids=model.Ids(system=variables["system_id"], manager=variables["manager_id"], chassis=variables["chassis_id"]),
        identity=model.Identity(**identity),
        power=_power(root, data["power"]),
        replies=frozen({name: _reply(_filled(reply, words)) for name, reply in data["replies"].items()}),
        messages=frozen({name: _message(_filled(text, words)) for name, text in data["messages"].items() if name != "evidence"}),
        errors=_errors(_filled(data["errors"], words)),
        http=_http(data["http"]),
        auth=_auth(data["auth"]),
        tasks=_without_evidence(_filled(data["tasks"], words)),
        bmc_reset=_bmc_reset(data["bmc_reset"]),
        ipmi=_ipmi(root, data["ipmi"]),
        timing=_timing(data["timing"]),
        inventory=model.Inventory(**_without_evidence(_filled(data["inventory"], words))),
        faults=frozen({name: _without_evidence(_filled(fault, words)) for name, fault in data.get("faults", {}).items()}),
        resources=_resources(_filled(data.get("resources", {}), words), files),
        managers=tuple(model.OtherManager(**other) for other in _filled(data.get("managers", {}).get("others", []), words)),
        versions=_without_evidence(data.get("versions", {})),
        refusals=tuple(_refusal(item) for item in data.get("refusals", [])),
        deviations=tuple(_deviation(item) for item in data.get("deviations", [])),
        feeder=_pdu(data["pdu"]) if "pdu" in data else _enclosure(data["enclosure"]) if "enclosure" in data else None,
        evidence=frozen(dict(_evidence(data))),
        digest=digest(root, files),
        code=files.code,
    )


def digest(root: YamlMap, files: ResourceFiles = NO_FILES) -> str:
    """Returns the SHA-256 of the resolved data in a canonical form, including which cells are assumed, and of the files."""
    data = cast(Data, plain(root))
    data["assumed"] = sorted(_assumed(root))
    if files.digest:
        data["files"] = files.digest
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _assumed(root: YamlMap) -> Iterable[str]:
    for block, table in (("power", "table"), ("ipmi", "chassis")):
        for state, words in _rows(root, block, table).items():
            yield from (f"{block}.{state}.{word}" for word, cell in words.items() if cell.assumed)


def _without_evidence(block: Data) -> Any:
    return frozen({key: value for key, value in block.items() if key != "evidence"})


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    match value:
        case str():
            return template.fill(value, words)
        case list():
            return [_filled(item, words) for item in value]
        case dict():
            return {key: _filled(item, words) for key, item in value.items()}
        case _:
            return value


def _span(value: float | list[float]) -> model.Span:
    low, high = value if isinstance(value, list) else (value, value)
    return model.Span(float(low), float(high))


def _timed(data: Data, time: str) -> Any:
    """Builds a small map that has one time."""
    return frozen({**data, time: _span(data[time])})


def _claim(words: list[str]) -> model.FactEvidence:
    return model.FactEvidence(model.Confidence(words[0]), tuple(words[1:]))


def _rows(root: YamlMap, block: str, table: str) -> dict[str, dict[str, YamlList]]:
    """Returns the cells as nodes, because only nodes have the mark `assumed`."""
    node = cast(YamlMap, cast(YamlMap, root.entries[block]).entries[table])
    return {
        state: {word: cast(YamlList, cell) for word, cell in cast(YamlMap, node.entries[state]).entries.items()}
        for state in STATES
    }


def _cell(node: YamlList) -> model.PowerCell:
    outcome, *claim = cast(list[str], plain(node))
    return model.PowerCell(outcome, _claim(claim), node.assumed)


def _power(root: YamlMap, data: Data) -> model.PowerRules:
    types = tuple(data["reset_types"])
    rows = _rows(root, "power", "table")
    return model.PowerRules(
        advertise=data["advertise"],
        reset_types=types,
        table=frozen({state: {word: _cell(rows[state][word]) for word in _answered(data, rows[state])} for state in STATES}),
        unlisted_type=model.PowerCell(data["unlisted_type"][0], _claim(data["unlisted_type"][1:])),
        outcomes=frozen({name: model.PowerOutcome(**outcome) for name, outcome in data["outcomes"].items()}),
        effects=frozen({name: _steps(steps) for name, steps in data["effects"].items()}),
        on_os_down=_steps(data["on_os_down"]),
        windows=tuple(_window(window) for window in data.get("windows", [])),
        target=data.get("target"),
        oem_actions=tuple(_oem_action(action) for action in data.get("oem_actions", [])),
        apply_times=tuple(data.get("apply_times", ())),
        chassis=_chassis_power(data.get("chassis", {})),
    )


def _plain(block: Data) -> Data:
    return {key: value for key, value in block.items() if key != "evidence"}


def _answered(data: Data, row: Mapping[str, YamlList]) -> list[str]:
    """The ResetTypes with a cell of their own: what is offered, and what only an action of the vendor asks for."""
    oem = [word for action in data.get("oem_actions", []) for word in (*action.get("values", {}).values(), action.get("body"))]
    return [*data["reset_types"], *dict.fromkeys(word for word in oem if word in row and word not in data["reset_types"])]


def _oem_action(data: Data) -> model.OemAction:
    return model.OemAction(**{**_plain(data), "values": frozen(data.get("values", {}))})


def _chassis_power(data: Data) -> model.ChassisPower:
    return model.ChassisPower(**_tupled(data))


def _steps(steps: list[Data]) -> tuple[model.EffectStep, ...]:
    return tuple(
        model.EffectStep(
            at=_span(step["at"]),
            real=step.get("real"),
            says=frozen({view: step[view.value] for view in model.View if view.value in step}),
            event=model.HostEvent(step["event"]) if "event" in step else None,
        )
        for step in steps
    )


def _window(data: Data) -> model.ReplyWindow:
    return model.ReplyWindow(after=data["after"], for_s=_span(data["for_s"]), reset=tuple(data["reset"]), outcome=data["outcome"])


def _reply(data: Data) -> model.ReplyTemplate:
    return model.ReplyTemplate(
        status=data["status"],
        headers=frozen(data.get("headers", {})),
        message=data.get("message"),
        body=frozen(data.get("body")),
        text=data.get("text"),
        task=_timed(data["task"], "after_s") if "task" in data else None,
    )


def _message(data: Data) -> model.MessageTemplate:
    return model.MessageTemplate(
        id=data["id"],
        text=None if data["text"] == "none" else data["text"],
        args=tuple(data.get("args", [])),
        severity=data.get("severity"),
        resolution=data.get("resolution"),
    )


def _errors(data: Data) -> model.ErrorShape:
    top = frozen(data["top_level"]) if "top_level" in data else None
    more = {key: data[key] for key in ("entry_type",) if key in data}
    return model.ErrorShape(code=data["code"], summary=data["summary"], fields=tuple(data["fields"]), top_level=top, **more)


def _http(data: Data) -> model.Http:
    return model.Http(
        etag=data["etag"],
        redirect_http=data["redirect_http"],
        tls_min=data["tls_min"],
        features=frozen(data["features"]),
        if_match=tuple(_if_match(rule) for rule in _listed(data.get("if_match", []))),
        odata_version=frozen(data.get("odata_version")),
        server_header=data.get("server_header"),
        tls_max=data.get("tls_max"),
        etag_on=tuple(data["etag_on"]) if "etag_on" in data else None,
        **{key: data[key] for key in ("json", "slash", "slash_status", "not_found", "served") if key in data},
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _if_match(data: Data) -> model.IfMatchRule:
    return model.IfMatchRule(**_tupled(data))


def _refusal(data: Data) -> model.RefusedRequest:
    return model.RefusedRequest(**_tupled(_plain(data)), evidence=_claim(data["evidence"]))


def _tupled(data: Data) -> Any:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}


def _resources(data: Data, files: ResourceFiles) -> model.ResourceRules:
    return model.ResourceRules(
        base=files.base,
        templates=files.templates,
        merge=frozen(data.get("merge", {})),
        remove=tuple(data.get("remove", ())),
        **{key: data[key].rstrip("/") for key in ("boot", "systems") if key in data},
    )


def _auth(data: Data) -> model.AuthRules:
    sessions, lockout = data["sessions"], data["lockout"]
    return model.AuthRules(
        basic=data["basic"],
        accounts=tuple(model.Account(**account) for account in data["accounts"]),
        sessions=model.Sessions(**{"max": None, **sessions, "timeout_s": float(sessions["timeout_s"])}),
        lockout=model.Lockout(
            by=lockout["by"],
            failures=lockout["failures"],
            window_s=float(lockout.get("window_s", 0)),
            penalty_s=float(lockout.get("penalty_s", 0)),
            delay_s=float(lockout.get("delay_s", 0)),
            delay_after=lockout.get("delay_after", 0),
        ),
        no_auth=data.get("no_auth"),
        bad_login=data.get("bad_login"),
        password_change_required=data.get("password_change_required", False),
    )


def _bmc_reset(data: Data) -> model.BmcReset:
    return model.BmcReset(
        reset_types=tuple(data["reset_types"]),
        reply=data["reply"],
        grace_s=_span(data["grace_s"]),
        outage_s=_span(data["outage_s"]),
        after=_timed(data["after"], "for_s") if "after" in data else None,
        restore_policy=data.get("restore_policy", False),
        advertise=data.get("advertise"),
        unlisted=data.get("unlisted"),
    )


def _ipmi(root: YamlMap, data: Data) -> model.Ipmi:
    def cell(node: YamlList) -> model.IpmiCell:
        code, effect, *claim = cast(list[Any], plain(node))
        return model.IpmiCell(code, effect, _claim(claim), node.assumed)

    rows = _rows(root, "ipmi", "chassis")
    return model.Ipmi(
        lan=data["lan"],
        device=model.IpmiDevice(**data["device"]),
        cipher_suites=tuple(data["cipher_suites"]),
        chassis=frozen({state: {word: cell(node) for word, node in row.items()} for state, row in rows.items()}),
        auth_types=tuple(data["auth_types"]) if "auth_types" in data else None,
        oem=tuple(_oem_command(item) for item in data.get("oem", [])),
        **{key: data[key] for key in ("duplicates", "kg", "sessions") if key in data},
    )


def _oem_command(data: Data) -> model.OemCommand:
    return model.OemCommand(
        netfn=data["netfn"],
        command=data["command"],
        data=bytes.fromhex(data.get("data", "")),
        answer=bytes.fromhex(data.get("answer", "")),
        code=data.get("code", 0),
    )


def _timing(data: Data) -> model.Timing:
    latency = {name: float(value) for name, value in data.get("latency_ms", {}).items()}
    if "os_shutdown_s" in data:
        return model.Timing(latency_ms=frozen(latency), os_shutdown_s=_span(data["os_shutdown_s"]))
    return model.Timing(latency_ms=frozen(latency))


def _pdu(data: Data) -> model.Pdu:
    return model.Pdu(
        outlets=tuple(data["outlets"]),
        equipment_type=data["equipment_type"],
        distribution_type=data["distribution_type"],
        outlet_type=data["outlet_type"],
    )


def _enclosure(data: Data) -> model.Enclosure:
    return model.Enclosure(slots=tuple(data["slots"]), enclosure_type=data["enclosure_type"], slot_type=data["slot_type"])


def _deviation(data: Data) -> model.Deviation:
    return model.Deviation(**{**data, "tool": model.Tool(data["tool"]), "evidence": _claim(data["evidence"])})


def _evidence(data: Data) -> Iterable[tuple[str, model.FactEvidence]]:
    for block, content in data.items():
        if not isinstance(content, dict):
            continue
        inline = block in ("replies", "faults")
        said = (
            {key: value["evidence"] for key, value in content.items() if "evidence" in value}
            if inline
            else content.get("evidence", {})
        )
        yield from ((f"{block}.{key}", _claim(claim)) for key, claim in said.items())
    for index, window in enumerate(data["power"].get("windows", [])):
        yield f"power.windows[{index}]", _claim(window["evidence"])
