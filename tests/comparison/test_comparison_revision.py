"""A revision is laid out in a folder of its own, and nothing of it leads out of that."""

import io
import sys
import tarfile

import pytest

from totalml.comparison.revision import _extract


def archive(*members):
    """Args: members: name, what it links to or "", and its kind."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, target, kind in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, target, 4 if kind == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(b"text") if info.size else None)
    return tarfile.open(fileobj=io.BytesIO(data.getvalue()))


@pytest.fixture(params=["as of today", "before Python 3.11.4"])
def python(request, monkeypatch):
    if request.param != "as of today":
        if sys.version_info >= (3, 12):
            pytest.skip("it would warn that nothing is filtered")
        monkeypatch.delattr(tarfile, "data_filter", raising=False)


@pytest.mark.usefixtures("python")
def test_files_folders_and_links_within_are_as_they_were(tmp_path):
    file, link = ("conf/a.yaml", "", tarfile.REGTYPE), ("conf/b.yaml", "a.yaml", tarfile.SYMTYPE)
    _extract(archive(("conf", "", tarfile.DIRTYPE), file, link), tmp_path)
    assert (tmp_path / "conf/b.yaml").read_text() == "text"


@pytest.mark.usefixtures("python")
@pytest.mark.parametrize(
    "member",
    [
        ("../out.yaml", "", tarfile.REGTYPE),
        ("conf/out.yaml", "../../out.yaml", tarfile.SYMTYPE),
        ("conf/out.yaml", "/etc/hostname", tarfile.SYMTYPE),
        ("conf/out.yaml", "/etc/hostname", tarfile.LNKTYPE),
        ("conf/pipe", "", tarfile.FIFOTYPE),
    ],
)
def test_what_leads_out_is_refused(tmp_path, member):
    (tmp_path / "in").mkdir()
    with pytest.raises(tarfile.TarError):
        _extract(archive(member), tmp_path / "in")
    assert not (tmp_path / "out.yaml").exists()
