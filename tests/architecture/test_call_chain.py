"""The way of a new message from its queue message to its row stays short enough to follow."""

from tests.architecture.call_chain import files, measure


def test_a_new_message_takes_few_calls_to_its_row() -> None:
    """It took 60 calls once. A new layer needs a reason; python -m tests.architecture.call_chain lists the calls."""
    calls = measure()
    assert calls.is_committed
    assert len(calls.chain) <= 47, calls.chain
    assert len(files(calls.chain)) <= 20
