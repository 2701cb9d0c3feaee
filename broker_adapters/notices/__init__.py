"""Plug-ins: one observatory's notices each, or one format that several share (`broker_adapters.notice.NoticeModule`)."""
