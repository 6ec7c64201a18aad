"""The results of an act as sentences, for the terminal and for report.html."""

from __future__ import annotations

from dataclasses import dataclass

from demo.story import Story


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One sentence. `good`: True or False for a good or bad result, None for a neutral fact."""

    text: str
    good: bool | None = None


def seconds(t: float) -> str:
    return f"{t:.2f} s"


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n} times")


def facts(story: Story) -> list[StoryLine]:
    """Returns the sentences in the order: incident, commands, manager, machines, alerts."""
    return [*_truth(story), *_commands(story), *_manager(story), *_machines(story), *_alerts(story)]


def _truth(story: Story) -> list[StoryLine]:
    if story.blow == "power lost":
        said = next((span for span in story.says if span.t >= 0), None)
        word = f"; its BMC says PowerState {said.word} from then on" if said else ""
        return [StoryLine(f"{story.host} loses its power{word}")]
    return [StoryLine(f"{story.host} hangs: it answers nobody, ignores polite requests, and its machines go on writing")]


def _commands(story: Story) -> list[StoryLine]:
    if not story.posts:
        return [StoryLine(f"power commands sent to the BMC: 0 (it was read {_times(story.reads)})", good=True)]
    kinds: dict[tuple[str, int], int] = {}
    for post in story.posts:
        kinds[post.reset, post.status] = kinds.get((post.reset, post.status), 0) + 1
    lines = []
    for (reset, status), n in kinds.items():
        refused = status >= 400
        lines.append(StoryLine(f"{reset} sent {_times(n)}, answered {status}", good=False if refused and n > 3 else None))
    return lines


def _manager(story: Story) -> list[StoryLine]:
    down = story.down_at
    if down is None:
        last = story.states[-1] if story.states else None
        where = f"; it is still in {last.name} (host status {last.status})" if last else ""
        return [StoryLine(f"the manager never says Down in {story.ends:.0f} s{where}", good=False)]
    rail = story.rail_down_at
    if rail is not None and rail <= down:
        bound = f", the bound is {seconds(story.bound)}" if story.blow == "power lost" else ""
        in_time = story.blow != "power lost" or down <= story.bound
        return [
            StoryLine(
                f"the manager says Down after {seconds(down)}{bound}; the power was really gone since {seconds(rail)}", in_time
            )
        ]
    truth = "the host was still powered" if rail is None else f"the power went only at {seconds(rail)}"
    return [StoryLine(f"the manager says Down after {seconds(down)}: {truth}", good=False)]


def _machines(story: Story) -> list[StoryLine]:
    lines = []
    for split in story.overlaps():
        late = f"{split.old_host} wrote {_times(split.writes)} more after {split.new_host} had begun"
        lines.append(StoryLine(f"SPLIT BRAIN on {split.vm}: {late}, for {seconds(split.seconds)}", good=False))
    moved = story.moved()
    for vm, (host, t) in sorted(moved.items()):
        lines.append(StoryLine(f"{vm} writes from {host} since {seconds(t)}", good=not story.overlaps()))
    if story.down_at is not None:
        late = story.writes_after(story.down_at)
        lines.append(StoryLine(f"writes of {story.host} after the manager said Down: {late}", good=late == 0))
    if not moved:
        lines.append(StoryLine(f"the machines of {story.host} run nowhere", good=False))
    return lines


def _alerts(story: Story) -> list[StoryLine]:
    counts = story.alert_counts()
    listed = ", ".join(f"{name} {n}" for name, n in counts.items())
    false = sum(n for name, n in counts.items() if name.endswith("_PERFORMED")) if _nothing_was_fenced(story) else 0
    if false:
        text = next(alert.text for alert in story.alerts if alert.name.endswith("_PERFORMED"))
        say = "says" if false == 1 else "say"
        return [StoryLine(f"alerts: {listed}; {false} of them {say} “{text}”, and it was not so", good=False)]
    return [StoryLine(f"alerts: {listed}", good=True if counts else None)]


def _nothing_was_fenced(story: Story) -> bool:
    return story.down_at is None or story.rail_down_at is None or story.rail_down_at > story.down_at
