"""Our answer against the protocol's own, to the wei."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from defirisk.core.adapter import Question, Refereed
from defirisk.core.errors import UsageError
from defirisk.core.evm import Block, CallResult, ChainReader
from defirisk.core.plugins import adapter
from defirisk.core.verdict import Mismatch, Verdict
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.source import Progress, silent
from defirisk.store.database import Store
from defirisk.store.registry import StoredDeployment
from defirisk.store.snapshots import snapshot
from defirisk.store.verifications import put_verdict

REVERTED = "reverted"
_CALLS_PER_STEP = 2_000


async def verify(
    reader: ChainReader,
    store: Store,
    stored: StoredDeployment,
    block: Block,
    *,
    sample: int | None = None,
    seed: int = 1,
    progress: Progress = silent,
) -> Verdict:
    """Asks the referee of a deployment about every account (or a seeded sample) at `block`.

    The verdict is remembered in the store, so that reports can say it.
    Errors: `NodeError` where the node no longer has the state of that block.
    """
    refereed = adapter(stored.deployment.protocol)
    if not isinstance(refereed, Refereed):
        raise UsageError(f"nobody can be asked about {stored.deployment.name}")
    codecs = Codecs(refereed)
    with store.transaction() as connection:
        questions = list(refereed.questions(snapshot(connection, stored, block)))
    questions = _sampled(questions, sample, seed)
    mismatches: list[Mismatch] = []
    for at in range(0, len(questions), _CALLS_PER_STEP):
        step = questions[at : at + _CALLS_PER_STEP]
        results = await reader.calls([codecs.call(q.view) for q in step], block)
        for question, result in zip(step, results, strict=True):
            mismatches += differences(question, _theirs(question, codecs, result))
        progress(f"verify {stored.deployment.name}", at + len(step), len(questions))
    verdict = Verdict(
        chain_id=stored.deployment.chain_id,
        deployment=stored.deployment.name,
        protocol=stored.deployment.protocol,
        block=block,
        accounts=len({question.unit for question in questions if question.unit}),
        compared=sum(len(q.fields) for q in questions if q.grade == "compared"),
        read=sum(len(q.fields) for q in questions if q.grade == "read"),
        mismatches=tuple(mismatches),
    )
    with store.transaction() as connection:
        put_verdict(connection, stored.id, verdict)
    return verdict


def _sampled(questions: Sequence[Question], sample: int | None, seed: int) -> list[Question]:
    units = list(dict.fromkeys(question.unit for question in questions if question.unit))
    chosen = set(units)
    if sample is not None and sample < len(units):
        chosen = set(random.Random(seed).sample(units, sample))
    return [question for question in questions if not question.unit or question.unit in chosen]


def _theirs(question: Question, codecs: Codecs, result: CallResult) -> tuple[object, ...] | None:
    if question.refusal:
        return (int(not result.ok and question.refusal in result.data),)
    return codecs.answer(question.view, result)


def differences(question: Question, theirs: Sequence[object] | None) -> Iterable[Mismatch]:
    """One mismatch for each field in which we and the contract differ."""
    for at, field in enumerate(question.fields):
        ours = REVERTED if question.ours is None else str(question.ours[at])
        said = REVERTED if theirs is None else str(_number(theirs[at]))
        if ours != said:
            yield Mismatch(account=question.subject, field=field, ours=ours, theirs=said)


def _number(value: object) -> object:
    # A struct with one member, such as ReserveConfigurationMap, is a tuple of one.
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value
