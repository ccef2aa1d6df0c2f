import copy

from totalml.comparison.environment import FactChange, environment_changes, execution_changes, file_changes

OLD = {
    "digest": "blake3:1",
    "python": "3.11.7",
    "platform": "Linux x86_64",
    "packages": {"aiohttp": "3.1", "numpy": "2.0", "torch": "2.14"},
}


def test_a_package_that_moves_numbers_comes_before_the_others():
    new = copy.deepcopy(OLD) | {"digest": "blake3:2", "python": "3.12.1"}
    new["packages"] = {"aiohttp": "3.2", "numpy": "2.0", "torch": "2.15", "zizmor": "1.0"}
    assert environment_changes(OLD, new) == [
        FactChange("python", "3.11.7", "3.12.1", True),
        FactChange("torch", "2.14", "2.15", True),
        FactChange("aiohttp", "3.1", "3.2", False),
        FactChange("zizmor", None, "1.0", False),
    ]
    assert environment_changes(OLD, OLD) == []


def test_a_package_that_is_gone_is_told():
    new = OLD | {"packages": {"numpy": "2.0"}}
    assert [(each.name, each.new) for each in environment_changes(OLD, new)] == [("torch", None), ("aiohttp", None)]


def test_another_thread_count_is_a_difference_of_execution():
    old = {"digest": "blake3:1", "device": "cpu", "used": {"threads": 1}}
    new = {"digest": "blake3:2", "device": "cpu", "used": {"threads": 2}}
    assert execution_changes(old, new) == [FactChange("used.threads", 1, 2, True)]


def test_other_weights_in_a_file_are_a_difference():
    old, new = ({"digest": "x", "files": {"weights.pth": f"blake3:{letter * 64}"}} for letter in "ab")
    assert file_changes(old, new) == [FactChange("weights.pth", "aaaaaaaa", "bbbbbbbb", True)]
    assert file_changes({}, {}) == []  # a run of before
