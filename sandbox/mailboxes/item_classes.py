"""Item classes, and the element of Exchange's data model for each class."""

ITEM_ELEMENTS = {
    "IPM.Schedule.Meeting.Request": "MeetingRequest",
    "IPM.Schedule.Meeting.Canceled": "MeetingCancellation",
    "IPM.Schedule.Meeting.Resp": "MeetingResponse",
    "IPM.Appointment": "CalendarItem",
    "IPM.Contact": "Contact",
    "IPM.DistList": "DistributionList",
    "IPM.Task": "Task",
    "IPM.Post": "PostItem",
}

ITEM_CLASSES = {
    "Message": "IPM.Note",
    "MeetingMessage": "IPM.Schedule.Meeting",
    "CalendarItem": "IPM.Appointment",
    "Contact": "IPM.Contact",
    "DistributionList": "IPM.DistList",
    "Task": "IPM.Task",
    "PostItem": "IPM.Post",
    "Item": "IPM.Note",
    "MeetingRequest": "IPM.Schedule.Meeting.Request",
    "MeetingResponse": "IPM.Schedule.Meeting.Resp.Pos",
    "MeetingCancellation": "IPM.Schedule.Meeting.Canceled",
}


def element_of(item_class: str) -> str:
    """The element of an item class; notes, reports and signed mail are Messages too."""
    for beginning, element in ITEM_ELEMENTS.items():
        if item_class == beginning or item_class.startswith(beginning + "."):
            return element
    return "Message"


READABLE = frozenset(
    {"Message", "MeetingMessage", "MeetingRequest", "MeetingResponse", "MeetingCancellation", "PostItem"}
)
"""The elements that have a read flag."""
