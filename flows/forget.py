"""The erasure form."""

from typing import Annotated
from uuid import UUID

from prefect import State
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.config import load_config
from flows.erase import forget as forget_in
from flows.fields import titled
from flows.locks import BusyError
from flows.steps import step, told_flow
from pipeline.question import QuestionError

WAIT = 600
"""Seconds the form waits for a night that is under way."""
_HIDDEN = "（消去済み）"
EVERY_SOURCE = "すべて"


@told_flow("forget", flow_run_name="forget")
def forget(
    config_path: str,
    requested_by: Annotated[str, titled("受け付けた人")],
    customer: Annotated[str, titled("顧客番号")] = "",
    feedback: Annotated[str, titled("回答番号")] = "",
    source: Annotated[str, titled("ソース")] = EVERY_SOURCE,
    confirmed: Annotated[bool, titled("元に戻せないことを確かめた")] = False,
) -> State:
    """消去：お客さまからの申し出により、その方の言葉をすべての夜のレポートと保存先から消します。元に戻せません。

    Args:
        config_path: 設定ファイル（TOML）。
        requested_by: お名前。消去の記録に残ります。
        customer: 元のファイルにある顧客番号。回答番号とどちらか一つ。実行のあと、番号はこの画面からも消えます。
        feedback: 元のファイルにある回答番号。
        source: 回答番号のとき、どのソースのものか。
        confirmed: チェックしないと実行しません。
    """
    try:
        return Completed(message=_erased(config_path, requested_by, customer, feedback, source, confirmed))
    finally:
        _hide_ids()


def _erased(config_path: str, requested_by: str, customer: str, feedback: str, source: str, confirmed: bool) -> str:
    if _HIDDEN in (customer, feedback):
        raise QuestionError("番号はこの画面から消えています。やり直すときは、新しく入力してください")
    if not confirmed:
        raise QuestionError("「元に戻せないことを確かめた」にチェックしてください。まだ何も消していません")
    if bool(customer) == bool(feedback):
        raise QuestionError("顧客番号か回答番号の、どちらか一つを入力してください")
    try:
        return erase(config_path, requested_by, customer, feedback, source)
    except BusyError as busy:
        message = f"ほかの処理が終わらないため、まだ消していません（{busy}）。あとで、もう一度実行してください"
        raise QuestionError(message) from None


@step("erase")
def erase(config_path: str, requested_by: str, customer: str, feedback: str, source: str) -> str:
    """Erase, and say what was erased."""
    config = load_config(config_path)
    erased = forget_in(
        config,
        config.out,
        by=requested_by,
        customer=customer or None,
        feedback=feedback or None,
        source=None if source == EVERY_SOURCE else source,
        wait=WAIT,
    )
    return erased.told


def _hide_ids() -> None:
    """Take the person's id out of what the Prefect server keeps of this run."""
    if not flow_run.id:
        return
    shown = {name: _HIDDEN if name in ("customer", "feedback") and value else value
             for name, value in flow_run.parameters.items()}  # fmt: skip
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.id), parameters=shown)
