"""The form that renders a stored night again."""

from datetime import date
from typing import Annotated, Literal

from prefect import State
from prefect.states import Completed

from flows.config import ConfigError, load_config
from flows.deployment import deployment
from flows.fields import titled
from flows.links import link_to
from flows.publish import write_pages
from flows.steps import step, told_flow

WAIT = 600
LANGUAGES: dict[str, Literal["ja", "en"] | None] = {"設定のとおり": None, "日本語": "ja", "英語": "en"}


@told_flow("report", flow_run_name="report {business_date}")
def report(
    config_path: str,
    business_date: Annotated[date | None, titled("対象日")] = None,
    language: Annotated[Literal["設定のとおり", "日本語", "英語"], titled("言語")] = "設定のとおり",
) -> State:
    """レポートを書き直す：保存してある夜のレポートを、分析し直さずにもう一度書き出します。

    Args:
        config_path: 設定ファイル（TOML）。
        business_date: どの夜か。空欄なら、いちばん新しい夜。
        language: レポートの言語。
    """
    return Completed(message=write_again(config_path, business_date, language))


@step("render the night again")
def write_again(config_path: str, business_date: date | None, language: str) -> str:
    """Render the night's folder from the store; say where the report is."""
    config = load_config(config_path)
    with deployment(config, config.out, wait=WAIT) as store:
        stored = store.dates()
        if not stored:
            raise ConfigError(f"no night is stored in {config.out} yet; run nightly first")
        day = business_date or stored[-1]
        written = write_pages(store, day, config.out, told=config.report.told(LANGUAGES[language]))
    return f"{day}: {link_to(written / 'report.html', config, config_path, config.out)}"
