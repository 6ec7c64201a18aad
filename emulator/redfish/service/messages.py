"""The Base registry messages that this service can send, as facts of the protocol (DMTF Base registry, BSD-3-Clause).

`error_shapes` fills them in; `registries` serves them. `since` is the first minor version of Base that is known to hold the
message. For a profile with an older Base, GeneralError takes its place: clients could not find the message in the registry that
its id names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class BaseMessage:
    """A registry message. The text has %1, %2 ... for its arguments."""

    text: str
    severity: str
    resolution: str
    since: int = 0

    @property
    def arguments(self) -> int:
        return sum(f"%{n}" in self.text for n in range(1, 5))


_RESUBMIT: Final = "and resubmit the request if the operation failed."

GENERAL_ERROR: Final = "GeneralError"

BASE_MESSAGES: Final[Mapping[str, BaseMessage]] = {
    GENERAL_ERROR: BaseMessage(
        "A general error has occurred. See Resolution for information on how to resolve the error.", "Critical", "None."
    ),
    "ActionParameterMissing": BaseMessage(
        "The action %1 requires the parameter %2 to be present in the request body.",
        "Critical",
        "Supply the action with the required parameter in the request body when the request is resubmitted.",
    ),
    "ActionParameterUnknown": BaseMessage(
        "The action %1 was submitted with the invalid parameter %2.",
        "Warning",
        f"Correct the invalid parameter {_RESUBMIT}",
    ),
    "ActionParameterValueTypeError": BaseMessage(
        "The value %1 for the parameter %2 in the action %3 is of a different type than the parameter can accept.",
        "Warning",
        f"Correct the value for the parameter in the request body {_RESUBMIT}",
    ),
    "ActionParameterValueError": BaseMessage(
        "The value for the parameter '%1' in the action '%2' is invalid.",
        "Warning",
        f"Correct the value for the parameter in the request body {_RESUBMIT}",
        11,
    ),
    "ActionParameterValueFormatError": BaseMessage(
        "The value '%1' for the parameter %2 in the action %3 is not a format that the parameter can accept.",
        "Warning",
        f"Correct the value for the parameter in the request body {_RESUBMIT}",
    ),
    "ActionParameterValueNotInList": BaseMessage(
        "The value '%1' for the parameter %2 in the action %3 is not in the list of acceptable values.",
        "Warning",
        f"Choose a value from the enumeration list that the implementation can support {_RESUBMIT}",
        10,
    ),
    "ArraySizeTooLong": BaseMessage(
        "The array provided for property '%1' exceeds the size limit %2.",
        "Warning",
        "Resubmit the request with an appropriate array size.",
        16,
    ),
    "CreateFailedMissingReqProperties": BaseMessage(
        "The create operation failed because the required property %1 was missing from the request.",
        "Critical",
        f"Correct the body to include the required property with a valid value {_RESUBMIT}",
    ),
    "CreateLimitReachedForResource": BaseMessage(
        "The create operation failed because the resource has reached the limit of possible resources.",
        "Critical",
        "Either delete resources and resubmit the request if the operation failed or do not resubmit the request.",
    ),
    "EmptyJSON": BaseMessage(
        "The request body submitted contained an empty JSON object and the service is unable to process it.",
        "Warning",
        "Add properties in the JSON object and resubmit the request.",
        2,
    ),
    "EventSubscriptionLimitExceeded": BaseMessage(
        "The event subscription failed due to the number of simultaneous subscriptions exceeding the limit of the "
        "implementation.",
        "Critical",
        "Reduce the number of other subscriptions before trying to establish the event subscription or increase the limit of "
        "simultaneous subscriptions, if supported.",
    ),
    "HeaderInvalid": BaseMessage("Header '%1' is invalid.", "Critical", "Resubmit the request with a valid request header.", 13),
    "InsufficientPrivilege": BaseMessage(
        "There are insufficient privileges for the account or credentials associated with the current session to perform the "
        "requested operation.",
        "Critical",
        f"Either abandon the operation or change the associated access rights {_RESUBMIT}",
    ),
    "InternalError": BaseMessage(
        "The request failed due to an internal service error.  The service is still operational.",
        "Critical",
        "Resubmit the request.  If the problem persists, consider resetting the service.",
    ),
    "MalformedJSON": BaseMessage(
        "The request body submitted was malformed JSON and could not be parsed by the receiving service.",
        "Critical",
        "Ensure that the request body is valid JSON and resubmit the request.",
    ),
    "NoOperation": BaseMessage(
        "The request body submitted contain no data to act upon and no changes to the resource took place.",
        "Warning",
        "Add properties in the JSON object and resubmit the request.",
        4,
    ),
    "NoValidSession": BaseMessage(
        "There is no valid session established with the implementation.",
        "Critical",
        "Establish a session before attempting any operations.",
    ),
    "OperationNotAllowed": BaseMessage("The HTTP method is not allowed on this resource.", "Critical", "None.", 13),
    "PasswordChangeRequired": BaseMessage(
        "The password provided for this account must be changed before access is granted.  PATCH the Password property for this "
        "account located at the target URI '%1' to complete this process.",
        "Critical",
        "Change the password for this account using a PATCH to the Password property at the URI provided.",
        5,
    ),
    "PayloadTooLarge": BaseMessage(
        "The supplied payload exceeds the maximum size supported by the service.",
        "Critical",
        "Check that the supplied payload is correct and supported by this service.",
        13,
    ),
    "PreconditionFailed": BaseMessage(
        "The ETag supplied did not match the ETag required to change this resource.",
        "Critical",
        "Try the operation again using the appropriate ETag.",
        13,
    ),
    "PreconditionRequired": BaseMessage(
        "A precondition header or annotation is required to change this resource.",
        "Critical",
        "Try the operation again using an If-Match or If-None-Match header and appropriate ETag.",
        13,
    ),
    "PropertyMissing": BaseMessage(
        "The property %1 is a required property and must be included in the request.",
        "Warning",
        f"Ensure that the property is in the request body and has a valid value {_RESUBMIT}",
    ),
    "PropertyNotWritable": BaseMessage(
        "The property '%1' is a read-only property and cannot be assigned a value.",
        "Warning",
        f"Remove the property from the request body {_RESUBMIT}",
    ),
    "PropertyUnknown": BaseMessage(
        "The property %1 is not in the list of valid properties for the resource.",
        "Warning",
        f"Remove the unknown property from the request body {_RESUBMIT}",
    ),
    "PropertyValueConflict": BaseMessage(
        "The property '%1' could not be written because its value would conflict with the value of the '%2' property.",
        "Warning",
        "None.",
        6,
    ),
    "PropertyValueError": BaseMessage(
        "The value provided for the property '%1' is not valid.",
        "Warning",
        f"Correct the value for the property in the request body {_RESUBMIT}",
        11,
    ),
    "PropertyValueFormatError": BaseMessage(
        "The value '%1' for the property %2 is not a format that the property can accept.",
        "Warning",
        f"Correct the value for the property in the request body {_RESUBMIT}",
    ),
    "PropertyValueNotInList": BaseMessage(
        "The value '%1' for the property %2 is not in the list of acceptable values.",
        "Warning",
        f"Choose a value from the enumeration list that the implementation can support {_RESUBMIT}",
    ),
    "PropertyValueOutOfRange": BaseMessage(
        "The value '%1' for the property %2 is not in the supported range of acceptable values.",
        "Warning",
        f"Correct the value for the property in the request body {_RESUBMIT}",
        3,
    ),
    "PropertyValueTypeError": BaseMessage(
        "The value %1 for the property %2 is of a different type than the property can accept.",
        "Warning",
        f"Correct the value for the property in the request body {_RESUBMIT}",
    ),
    "QueryCombinationInvalid": BaseMessage(
        "Two or more query parameters in the request cannot be used together.",
        "Warning",
        f"Remove one or more of the query parameters {_RESUBMIT}",
        13,
    ),
    "QueryNotSupported": BaseMessage(
        "Querying is not supported by the implementation.",
        "Warning",
        f"Remove the query parameters {_RESUBMIT}",
    ),
    "QueryNotSupportedOnResource": BaseMessage(
        "Querying is not supported on the requested resource.",
        "Warning",
        f"Remove the query parameters {_RESUBMIT}",
    ),
    "QueryParameterOutOfRange": BaseMessage(
        "The value %1 for the query parameter %2 is out of range %3.",
        "Warning",
        "Reduce the value for the query parameter to a value that is within range, such as a start or count value that is within "
        "bounds of the number of resources in a collection or a page that is within the range of valid pages.",
    ),
    "QueryParameterValueFormatError": BaseMessage(
        "The value %1 for the parameter %2 is of a different format than the parameter can accept.",
        "Warning",
        f"Correct the value for the query parameter in the request {_RESUBMIT}",
    ),
    "ResourceAlreadyExists": BaseMessage(
        "The requested resource of type %1 with the property %2 with the value '%3' already exists.",
        "Critical",
        "Do not repeat the create operation as the resource was already created.",
    ),
    "ResourceAtUriUnauthorized": BaseMessage(
        "While accessing the resource at %1, the service received an authorization error %2.",
        "Critical",
        "Ensure that the appropriate access is provided for the service in order for it to access the URI.",
    ),
    "ResourceCannotBeDeleted": BaseMessage(
        "The delete request failed because the resource requested cannot be deleted.",
        "Critical",
        "Do not attempt to delete a non-deletable resource.",
    ),
    "ResourceInUse": BaseMessage(
        "The change to the requested resource failed because the resource is in use or in transition.",
        "Warning",
        f"Remove the condition {_RESUBMIT}",
    ),
    "ResourceMissingAtURI": BaseMessage(
        "The resource at the URI %1 was not found.",
        "Critical",
        "Place a valid resource at the URI or correct the URI and resubmit the request.",
    ),
    "ServiceDisabled": BaseMessage(
        "The operation failed because the service at %1 is disabled and cannot accept requests.",
        "Warning",
        "Enable the service and resubmit the request if the operation failed.",
        11,
    ),
    "ServiceTemporarilyUnavailable": BaseMessage(
        "The service is temporarily unavailable.  Retry in %1 seconds.",
        "Critical",
        "Wait for the indicated retry duration and retry the operation.",
    ),
    "SessionLimitExceeded": BaseMessage(
        "The session establishment failed due to the number of simultaneous sessions exceeding the limit of the implementation.",
        "Critical",
        "Reduce the number of other sessions before trying to establish the session or increase the limit of simultaneous "
        "sessions (if supported).",
    ),
    "StringValueTooLong": BaseMessage(
        "The string '%1' exceeds the length limit %2.", "Warning", "Resubmit the request with an appropriate string length.", 2
    ),
    "StringValueTooShort": BaseMessage(
        "The string '%1' was under the minimum required length %2.",
        "Warning",
        "Resubmit the request with an appropriate string length.",
        16,
    ),
    "UnrecognizedRequestBody": BaseMessage(
        "The service detected a malformed request body that it was unable to interpret.",
        "Warning",
        "Correct the request body and resubmit the request if it failed.",
    ),
}


def minor_of(base: str) -> int:
    """22 for "1.22", 5 for "1.5.0"; 0 without a minor version, and for what is older than 1.0, as "0.10"."""
    parts = base.split(".")
    return int(parts[1]) if len(parts) > 1 and parts[0] != "0" and parts[1].isdigit() else 0


def available_message(name: str, base: str) -> str:
    """`name`, or GeneralError if this version of Base does not have that message."""
    return name if BASE_MESSAGES[name].since <= minor_of(base) else GENERAL_ERROR
