"""Boot override, BIOS, Secure Boot: what waits for a boot, and what a boot takes."""

from __future__ import annotations

import pytest


def boot(bmc):
    return bmc.get(bmc.system).json["Boot"]


def patch(bmc, path, **body):
    return bmc.ask("PATCH", path, json=body)


def set_boot(bmc, **body):
    return patch(bmc, bmc.system, Boot=body)


def restart(bmc):
    assert bmc.reset("ForceRestart").status_code == 204
    bmc.clock.advance(10)


def test_once_falls_back_after_the_next_boot(generic):
    answer = set_boot(generic, BootSourceOverrideTarget="Pxe", BootSourceOverrideEnabled="Once")
    assert answer.status_code == 200
    assert answer.json["Boot"]["BootSourceOverrideTarget"] == "Pxe"
    restart(generic)
    assert boot(generic)["BootSourceOverrideEnabled"] == "Disabled"
    assert boot(generic)["BootSourceOverrideTarget"] == "None"
    texts = [entry.text for entry in generic.view().log.entries()]
    assert any("Boot source override: Pxe." in text for text in texts)


def test_continuous_sticks(generic):
    set_boot(generic, BootSourceOverrideTarget="Cd", BootSourceOverrideEnabled="Continuous", BootSourceOverrideMode="Legacy")
    for _ in range(3):
        restart(generic)
    told = boot(generic)
    assert (told["BootSourceOverrideEnabled"], told["BootSourceOverrideTarget"]) == ("Continuous", "Cd")
    assert told["BootSourceOverrideMode"] == "Legacy"


def test_disabled_takes_the_target_away(generic):
    set_boot(generic, BootSourceOverrideTarget="Hdd", BootSourceOverrideEnabled="Continuous")
    set_boot(generic, BootSourceOverrideEnabled="Disabled")
    assert boot(generic)["BootSourceOverrideTarget"] == "None"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"BootSourceOverrideTarget": "UefiTarget", "BootSourceOverrideEnabled": "Once"}, "PropertyValueConflict"),
        ({"BootSourceOverrideTarget": "UefiBootNext", "BootSourceOverrideEnabled": "Once"}, "PropertyValueConflict"),
        (
            {"BootSourceOverrideTarget": "UefiBootNext", "BootSourceOverrideEnabled": "Continuous", "BootNext": "Boot0001"},
            "PropertyValueConflict",
        ),
        ({"BootSourceOverrideTarget": "Tape"}, "PropertyValueNotInList"),
        ({"BootNext": "Boot9999"}, "PropertyValueNotInList"),
        ({"BootOrder": ["Boot0001", "Boot0001"]}, "PropertyValueNotInList"),
        ({"BootOrder": ["Boot0001", 1]}, "PropertyValueTypeError"),
    ],
)
def test_a_boot_that_makes_no_sense_is_refused_and_changes_nothing(generic, message, change, name):
    before = boot(generic)
    answer = patch(generic, generic.system, AssetTag="not this either", Boot=change)
    if name == "PropertyValueConflict" or "Boot9999" in str(change) or change.get("BootOrder") == ["Boot0001", "Boot0001"]:
        assert answer.status_code == 400
        assert message(answer)[0] == name
        assert generic.get(generic.system).json["AssetTag"] == ""
    else:  # one wrong value beside a right one: the right one is taken, the other complained about
        assert answer.status_code == 200
        assert answer.json["@Message.ExtendedInfo"][0]["MessageId"].endswith(name)
    assert boot(generic) == before


def test_uefi_targets_with_what_they_need(generic):
    told = {
        "BootSourceOverrideTarget": "UefiTarget",
        "BootSourceOverrideEnabled": "Once",
        "UefiTargetBootSourceOverride": "PciRoot(0x0)",
    }
    assert set_boot(generic, **told).status_code == 200
    assert boot(generic)["UefiTargetBootSourceOverride"] == "PciRoot(0x0)"
    assert set_boot(generic, BootSourceOverrideTarget="UefiBootNext", BootNext="Boot0003").status_code == 200


def test_boot_order_is_of_options_that_exist(generic):
    order = boot(generic)["BootOrder"]
    members = generic.get(f"{generic.system}/BootOptions").json["Members"]
    assert order == [generic.get(member["@odata.id"]).json["BootOptionReference"] for member in members]
    assert set_boot(generic, BootOrder=list(reversed(order))).status_code == 200
    assert boot(generic)["BootOrder"] == list(reversed(order))


def test_ipmi_sees_the_same_override(generic):
    set_boot(generic, BootSourceOverrideTarget="BiosSetup", BootSourceOverrideEnabled="Once")
    assert generic.view().boot.override().target == "BiosSetup"


def test_bios_settings_wait_for_the_next_boot(generic):
    bios = f"{generic.system}/Bios"
    assert patch(generic, f"{bios}/Settings", Attributes={"BootRetries": 7, "QuietBoot": "Disabled"}).status_code == 200
    assert generic.get(bios).json["Attributes"]["BootRetries"] == 3
    assert generic.get(f"{bios}/Settings").json["Attributes"]["BootRetries"] == 7
    restart(generic)
    assert generic.get(bios).json["Attributes"]["BootRetries"] == 7
    assert generic.get(bios).json["Attributes"]["QuietBoot"] == "Disabled"


def test_bios_defaults_wait_too(generic):
    bios = f"{generic.system}/Bios"
    patch(generic, f"{bios}/Settings", Attributes={"BootRetries": 7})
    restart(generic)
    assert generic.post(f"{bios}/Actions/Bios.ResetBios", json={}).status_code == 204
    body = generic.get(bios).json
    assert (body["ResetBiosToDefaultsPending"], body["Attributes"]["BootRetries"]) == (True, 7)
    restart(generic)
    body = generic.get(bios).json
    assert (body["ResetBiosToDefaultsPending"], body["Attributes"]["BootRetries"]) == (False, 3)


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"BootRetries": 11}, "PropertyValueOutOfRange"),
        ({"BootRetries": "3"}, "PropertyValueTypeError"),
        ({"QuietBoot": "Maybe"}, "PropertyValueNotInList"),
        ({"TpmVersion": "1.2"}, "PropertyNotWritable"),
        ({"NoSuch": 1}, "PropertyUnknown"),
    ],
)
def test_bios_attributes_have_their_rules(generic, message, attributes, name):
    answer = patch(generic, f"{generic.system}/Bios/Settings", Attributes=attributes)
    assert answer.status_code == 400
    assert message(answer)[0] == name


def test_the_registry_explains_every_attribute(generic):
    bios = generic.get(f"{generic.system}/Bios").json
    file = generic.get(f"/redfish/v1/Registries/{bios['AttributeRegistry']}").json
    entries = generic.get(file["Location"][0]["Uri"]).json["RegistryEntries"]["Attributes"]
    assert [entry["AttributeName"] for entry in entries] == list(bios["Attributes"])
    assert len(entries) == len({entry["AttributeName"] for entry in entries})
    choices = {entry["AttributeName"]: [one["ValueName"] for one in entry["Value"]] for entry in entries if "Value" in entry}
    assert choices["BootMode"] == ["Uefi", "LegacyBios"]
    assert {name for name, of in choices.items() if bios["Attributes"][name] in of} == set(choices)


def test_secure_boot_takes_effect_with_a_boot_and_needs_keys(generic):
    path = f"{generic.system}/SecureBoot"
    assert patch(generic, path, SecureBootEnable=True).status_code == 200
    assert generic.get(path).json["SecureBootCurrentBoot"] == "Disabled"
    restart(generic)
    assert generic.get(path).json["SecureBootCurrentBoot"] == "Enabled"
    keys = f"{path}/Actions/SecureBoot.ResetKeys"
    assert generic.post(keys, json={"ResetKeysType": "Nonsense"}).status_code == 400
    assert generic.post(keys, json={"ResetKeysType": "DeletePK"}).status_code == 204
    assert generic.get(path).json["SecureBootMode"] == "SetupMode"
    restart(generic)
    assert generic.get(path).json["SecureBootCurrentBoot"] == "Disabled"
