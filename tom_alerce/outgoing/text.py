"""A message as plain text, for all channels that take no more."""

from __future__ import annotations

from tom_alerce.outgoing.records import Message, Told


def plain(message: Message, most: int) -> str:
    """The whole message in at most ``most`` characters: its title, each event with its reason and page, and how to end it."""
    foot = "\n".join(
        line
        for line in (
            f"Told by the rule {message.rule}." if message.rule else "",
            f"Why: {message.why}" if message.why else "",
            f"End it: {message.stop}" if message.stop else "",
        )
        if line
    )
    parts = [message.title] if len(message.told) > 1 else []
    room = most - len(foot) - 60
    for i, one in enumerate(message.told):
        part = _event(one)
        if room - sum(len(p) + 2 for p in parts) < len(part):
            rest = len(message.told) - i
            parts += [part[: max(room, 0)]] if not i else []
            parts += [f"... and {rest - (not i)} more, which the TOM lists"] if rest > (not i) else []
            break
        parts.append(part)
    return "\n\n".join([*parts, foot] if foot else parts)[:most]


def _event(one: Told) -> str:
    place = f"RA {one.ra:.5f}, Dec {one.dec:+.5f}" if one.ra is not None and one.dec is not None else ""
    return "\n".join(line for line in (one.title, one.text, place, one.url) if line)
