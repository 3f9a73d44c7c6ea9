"""Documents that can rot are held against what they describe."""

import re
import tomllib

import pytest

from config.settings import CHECKOUT, Settings
from vsc.pages import PAGES

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_its_table_says(name: str) -> None:
    assert (CHECKOUT / name).read_text() == PAGES[name](), "run `make docs`"


def test_every_setting_is_documented() -> None:
    page = (CHECKOUT / "docs/configuration.md").read_text()
    for name, field in Settings.model_fields.items():
        assert f"`VSC_{name.upper()}`" in page
        assert field.description, name


def test_the_changelog_tells_of_this_version() -> None:
    versions = re.findall(r"^## \[([\d.]+)\]", (CHECKOUT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == PROJECT["project"]["version"]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_links_between_documents_lead_somewhere(page: str) -> None:
    folder = (CHECKOUT / page).parent
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", (CHECKOUT / page).read_text())
    missing = [link for link in links if "://" not in link and not (folder / link).exists()]
    assert missing == []


def test_every_package_is_named_where_packages_are_named() -> None:
    packages = sorted(path.parent.name for path in CHECKOUT.glob("*/__init__.py"))
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == packages
    assert sorted(PROJECT["tool"]["importlinter"]["root_packages"]) == packages
    readme = (CHECKOUT / "README.md").read_text()
    assert [name for name in packages if f"`{name}/`" not in readme] == []


def test_the_lock_file_names_no_registry() -> None:
    assert all("://" not in lock.read_text() for lock in CHECKOUT.glob("requirements*.lock"))
