"""All the properties that Exchange has of a received message, by the name they are asked by."""

import base64


def properties(number: int) -> dict[str, str]:
    """One message's properties as fragments, in the order of the schema."""
    moment = f"2024-{number % 12 + 1:02d}-{number % 28 + 1:02d}T{number % 24:02d}:{number % 60:02d}:07Z"
    sam, ada, bob, cyd = (_person(name, number) for name in ("sam", "ada", "bob", "cyd"))
    return {
        "ParentFolderId": '<t:ParentFolderId Id="AAMkFolder0000" ChangeKey="AQAAAA=="/>',
        "ItemClass": "<t:ItemClass>IPM.Note</t:ItemClass>",
        "Subject": f"<t:Subject>Quarterly figures, take {number}</t:Subject>",
        "Sensitivity": "<t:Sensitivity>Normal</t:Sensitivity>",
        "DateTimeReceived": f"<t:DateTimeReceived>{moment}</t:DateTimeReceived>",
        "Size": f"<t:Size>{20_000 + number % 1000}</t:Size>",
        "Categories": "<t:Categories><t:String>Blue</t:String><t:String>Finance</t:String></t:Categories>",
        "Importance": "<t:Importance>Normal</t:Importance>",
        "InReplyTo": f"<t:InReplyTo>&lt;{number + 1}@example.org&gt;</t:InReplyTo>",
        "IsSubmitted": "<t:IsSubmitted>false</t:IsSubmitted>",
        "IsDraft": "<t:IsDraft>false</t:IsDraft>",
        "IsFromMe": "<t:IsFromMe>false</t:IsFromMe>",
        "IsResend": "<t:IsResend>false</t:IsResend>",
        "IsUnmodified": "<t:IsUnmodified>true</t:IsUnmodified>",
        "InternetMessageHeaders": _HEADERS,
        "DateTimeSent": f"<t:DateTimeSent>{moment}</t:DateTimeSent>",
        "DateTimeCreated": f"<t:DateTimeCreated>{moment}</t:DateTimeCreated>",
        "ResponseObjects": "<t:ResponseObjects><t:ReplyToItem/><t:ReplyAllToItem/><t:ForwardItem/></t:ResponseObjects>",
        "ReminderIsSet": "<t:ReminderIsSet>false</t:ReminderIsSet>",
        "ReminderMinutesBeforeStart": "<t:ReminderMinutesBeforeStart>0</t:ReminderMinutesBeforeStart>",
        "DisplayCc": "<t:DisplayCc>Cyd</t:DisplayCc>",
        "DisplayTo": "<t:DisplayTo>Ada; Bob</t:DisplayTo>",
        "HasAttachments": "<t:HasAttachments>false</t:HasAttachments>",
        "SearchKey": (
            '<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x300b" PropertyType="Binary"/>'
            f"<t:Value>{base64.b64encode(number.to_bytes(16, 'big')).decode()}</t:Value></t:ExtendedProperty>"
        ),
        "Culture": "<t:Culture>en-US</t:Culture>",
        "EffectiveRights": _RIGHTS,
        "LastModifiedName": "<t:LastModifiedName>Ada</t:LastModifiedName>",
        "LastModifiedTime": f"<t:LastModifiedTime>{moment}</t:LastModifiedTime>",
        "IsAssociated": "<t:IsAssociated>false</t:IsAssociated>",
        "WebClientReadFormQueryString": (
            f"<t:WebClientReadFormQueryString>{_QUERY.format(number)}ReadMessageItem</t:WebClientReadFormQueryString>"
        ),
        "WebClientEditFormQueryString": (
            f"<t:WebClientEditFormQueryString>{_QUERY.format(number)}Compose</t:WebClientEditFormQueryString>"
        ),
        "ConversationId": f'<t:ConversationId Id="AAQkADhiN2U0{number:08d}QmVuY2g="/>',
        "Flag": "<t:Flag><t:FlagStatus>NotFlagged</t:FlagStatus></t:Flag>",
        "Sender": f"<t:Sender>{sam}</t:Sender>",
        "ToRecipients": f"<t:ToRecipients>{ada}{bob}</t:ToRecipients>",
        "CcRecipients": f"<t:CcRecipients>{cyd}</t:CcRecipients>",
        "BccRecipients": "<t:BccRecipients/>",
        "IsReadReceiptRequested": "<t:IsReadReceiptRequested>false</t:IsReadReceiptRequested>",
        "IsDeliveryReceiptRequested": "<t:IsDeliveryReceiptRequested>false</t:IsDeliveryReceiptRequested>",
        "ConversationIndex": "<t:ConversationIndex>AQHaq0m5Yk1c0xT3Q0q7d3lUq2a9vLGs1Q3k</t:ConversationIndex>",
        "ConversationTopic": f"<t:ConversationTopic>Quarterly figures, take {number}</t:ConversationTopic>",
        "From": f"<t:From>{sam}</t:From>",
        "InternetMessageId": f"<t:InternetMessageId>&lt;{number}@example.org&gt;</t:InternetMessageId>",
        "IsRead": "<t:IsRead>true</t:IsRead>",
        "IsResponseRequested": "<t:IsResponseRequested>false</t:IsResponseRequested>",
        "References": f"<t:References>&lt;{number + 2}@example.org&gt; &lt;{number + 1}@example.org&gt;</t:References>",
        "ReplyTo": f"<t:ReplyTo>{sam}</t:ReplyTo>",
        "ReceivedBy": f"<t:ReceivedBy>{ada}</t:ReceivedBy>",
        "ReceivedRepresenting": f"<t:ReceivedRepresenting>{ada}</t:ReceivedRepresenting>",
    }


def _person(name: str, number: int) -> str:
    return (
        f"<t:Mailbox><t:Name>{name.title()} {number % 97}</t:Name>"
        f"<t:EmailAddress>{name}{number % 97}@example.org</t:EmailAddress>"
        "<t:RoutingType>SMTP</t:RoutingType><t:MailboxType>Mailbox</t:MailboxType></t:Mailbox>"
    )


_QUERY = "?ae=Item&amp;a=Open&amp;t=IPM.Note&amp;id=AAMkADhiN2U0{}QmVuY2hNYXJrQmVuY2hNYXJrQmVuY2hNYXJr&amp;viewmodel="

_RIGHTS = (
    "<t:EffectiveRights><t:CreateAssociated>false</t:CreateAssociated><t:CreateContents>false</t:CreateContents>"
    "<t:CreateHierarchy>false</t:CreateHierarchy><t:Delete>true</t:Delete><t:Modify>true</t:Modify>"
    "<t:Read>true</t:Read><t:ViewPrivateItems>true</t:ViewPrivateItems></t:EffectiveRights>"
)

_HOPS = [
    (
        "Received",
        f"from PR0EXA{hop:02d}.eurprd{hop:02d}.prod.example.com (2603:10a6:20b:1::{hop}) by"
        f" PR0EXB{hop:02d}.example.com (2603:10a6:20b:2::{hop}) with Microsoft SMTP Server (version=TLS1_3,"
        f" cipher=TLS_AES_256_GCM_SHA384) id 15.20.8200.{hop}; Wed, 1 May 2024 10:00:0{hop} +0000",
    )
    for hop in range(1, 6)
]
_SIGNED = "YmVuY2htYXJrIHNpZ25hdHVyZSBub3QgYSByZWFsIG9uZSBqdXN0IGFzIGxvbmcg" * 5
_OTHERS = [
    ("ARC-Seal", f"i=1; a=rsa-sha256; s=arcselector; d=example.com; cv=none; b={_SIGNED}"),
    ("ARC-Message-Signature", f"i=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=arcselector; b={_SIGNED}"),
    ("ARC-Authentication-Results", "i=1; mx.example.com 1; spf=pass smtp.mailfrom=example.org; dmarc=pass"),
    ("Authentication-Results", "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; dkim=pass; dmarc=pass"),
    ("Received-SPF", "Pass (protection.example.com: domain of example.org designates 192.0.2.1 as permitted sender)"),
    ("DKIM-Signature", f"v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=selector1; b={_SIGNED}"),
    ("Thread-Topic", "Quarterly figures"),
    ("Message-ID", "<1@example.org>"),
    ("Content-Type", 'multipart/alternative; boundary="_000_bench_"'),
    ("MIME-Version", "1.0"),
    # What Exchange Online's own filter writes into every message; its length is that of real ones.
    ("X-Microsoft-Antispam", "BCL:0;ARA:13230040|366016|1800799024|41320700013|38070700018|8096899003|13003099007"),
    ("X-Microsoft-Antispam-Message-Info", _SIGNED * 4),
    ("X-Forefront-Antispam-Report", "CIP:192.0.2.1;CTRY:DE;LANG:en;SCL:1;SRV:;IPV:NLI;SFV:NSPM;H:mail.example.org;"),
    *[
        (f"X-MS-Exchange-Organization-{name}", "1;PR0EXA01:EE_|PR0EXB01:EE_;00000000-0000-0000-0000-000000000000")
        for name in ("SCL", "AuthSource", "AuthAs", "Network-Message-Id", "ExpirationStartTime", "Directionality")
    ],
]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_HEADERS = (
    "<t:InternetMessageHeaders>"
    + "".join(
        f'<t:InternetMessageHeader HeaderName="{name}">{_escaped(value)}</t:InternetMessageHeader>'
        for name, value in (*_HOPS, *_OTHERS)
    )
    + "</t:InternetMessageHeaders>"
)
