"""What `doctor` finds out: the shape of its report, GPU builds for described computers, and what it cannot find out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from helpers.described_gpu_service import describe_gpu
from helpers.tiny_gguf import UINT32, TinyModel, gguf_bytes, tiny_metadata, tiny_tensors, write_gguf

from satchel.runtime.commands.doctor import System, doctor, explain, gpu_build, install_command
from satchel.runtime.engine.devices import Device, Machine, Memory

CPU_ONLY = Machine(devices=(Device("CPU", "a processor", "cpu", "CPU", 0, 0),), memory=Memory(8, 9), cores=4)


@pytest.fixture
def computer(tmp_path: Path) -> Path:
    """The root of a described computer without a GPU and without programs."""
    root = tmp_path / "computer"
    (root / "bin").mkdir(parents=True)
    return root


def _system(root: Path, platform: str = "linux") -> System:
    return System(platform=platform, root=root, programs=str(root / "bin"))


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)


def test_the_report_is_json_of_a_stable_shape(home, tmp_path):
    model = write_gguf(tmp_path / "tiny.gguf", TinyModel())

    report = msgspec.to_builtins(doctor(home, [str(model)]))

    assert set(report["machine"]) == {"devices", "memory", "cores", "features", "version", "offloads"}
    assert set(report["machine"]["memory"]) == {"available_bytes", "total_bytes"}
    for device in report["machine"]["devices"]:
        assert set(device) == {"name", "description", "kind", "backend", "free_bytes", "total_bytes"}
    (found,) = report["models"]
    assert found.keys() == {
        *("name", "path", "size_bytes", "architecture", "gpu_layers", "layers", "context", "plan", "problem")
    }
    assert (found["name"], found["architecture"], found["layers"], found["context"]) == ("tiny", "llama", 2, 512)
    assert found["size_bytes"] == model.stat().st_size
    assert "CPU" in report["backends"]
    assert {"embed", "openvino", "builder", "starter", "ocr", "interpreter", "train"} == set(report["extras"])
    assert report["engine_version"].startswith("0.3.")
    assert report["problems"] == ()
    assert msgspec.json.decode(msgspec.json.encode(report))["models"][0]["plan"] == list(found["plan"])


def test_the_plan_shows_its_sums_and_follows_what_is_asked(home, tmp_path):
    model = str(write_gguf(tmp_path / "tiny.gguf", TinyModel()))

    (usual,) = doctor(home, [model]).models
    (small,) = doctor(home, [model], context=256, gpu_layers=0).models

    assert any(line.startswith("KV cache, 512 tokens in f16: ") for line in usual.plan)
    assert any(line.startswith("KV cache, 256 tokens in f16: ") for line in small.plan)
    assert small.plan[-1].endswith("a context of 256 tokens")


def test_without_a_name_the_persons_models_and_the_starter_are_planned(home):
    home.models.mkdir(parents=True)
    write_gguf(home.models / "mine.gguf", TinyModel())

    assert [model.name for model in doctor(home).models] == ["mine", "starter"]


def test_a_model_that_cannot_be_is_a_line_in_the_report(home, tmp_path):
    path = tmp_path / "absurd.gguf"
    layers = ("llama.block_count", UINT32, 2**32 - 1)
    path.write_bytes(gguf_bytes([*tiny_metadata(TinyModel()), layers], tiny_tensors(TinyModel())))

    (found,) = doctor(home, [str(path)]).models

    assert found.problem.endswith("absurd.gguf cannot be run here: it names 4,294,967,295 layers.")


def test_an_engine_that_does_not_answer_is_a_problem_and_no_error(home, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))

    report = doctor(home, [str(write_gguf(tmp_path / "tiny.gguf", TinyModel()))])

    assert report.machine is None
    assert report.backends == ()
    (problem,) = report.problems
    assert "The model process stopped: it could not be started" in problem
    assert report.models[0].problem == "no plan: the engine could not be asked"
    lines = explain(report)
    assert f"problem: {problem}" in lines
    assert not any(line.startswith("device:") for line in lines)


def test_the_report_reads_as_lines(home, tmp_path):
    report = doctor(home, [str(write_gguf(tmp_path / "tiny.gguf", TinyModel())), "gone"])

    lines = explain(report)

    assert lines[0] == f"Satchel {report.version}, llama-cpp-python {report.engine_version}"
    assert any(line.startswith("computer: ") and "available" in line for line in lines)
    assert any(line.startswith("device: CPU (") for line in lines)
    assert any(line.startswith("backends: CPU; ") for line in lines)
    assert "model tiny: " in "\n".join(lines)
    assert any(line.startswith("model gone: There is no model 'gone'") for line in lines)


def test_a_gpu_that_llama_cpp_uses_needs_no_other_build(computer):
    _touch(computer / "proc/driver/nvidia/version")

    assert gpu_build(describe_gpu(), _system(computer)) == ("", "llama.cpp uses CUDA0")


def test_a_computer_without_a_gpu_has_the_right_build(computer):
    assert gpu_build(CPU_ONLY, _system(computer)) == ("", "none found; the CPU build is the right one")
    assert gpu_build(None, _system(computer))[0] == ""


@pytest.mark.parametrize(
    ("files", "platform", "gpu", "flag"),
    [
        (["proc/driver/nvidia/version"], "linux", "an NVIDIA GPU", "-DGGML_CUDA=on"),
        (["bin/nvidia-smi"], "win32", "an NVIDIA GPU", "-DGGML_CUDA=on"),
        (["dev/kfd", "bin/rocminfo", "dev/dri/renderD128"], "linux", "an AMD GPU with ROCm", "-DGGML_HIP=on"),
        (["dev/kfd", "dev/dri/renderD128"], "linux", "a GPU that Vulkan may drive", "-DGGML_VULKAN=on"),
        (["dev/dri/renderD129"], "linux", "a GPU that Vulkan may drive", "-DGGML_VULKAN=on"),
        (["bin/vulkaninfo"], "win32", "a GPU that Vulkan may drive", "-DGGML_VULKAN=on"),
        ([], "darwin", "Apple's GPU", "-DGGML_METAL=on"),
    ],
)
def test_a_gpu_that_this_build_cannot_use_comes_with_the_command_for_it(computer, files, platform, gpu, flag):
    for name in files:
        _touch(computer / name)

    command, reason = gpu_build(CPU_ONLY, _system(computer, platform))

    assert reason == f"{gpu}, which this build of llama.cpp cannot use; install one:"
    assert flag in command
    assert "pip install --force-reinstall --no-deps --no-cache-dir llama-cpp-python==0.3." in command


def test_a_build_that_reports_a_gpu_and_cannot_offload_to_it_is_no_gpu_build(computer):
    _touch(computer / "proc/driver/nvidia/version")
    machine = msgspec.structs.replace(describe_gpu(), offloads=False)

    assert "-DGGML_CUDA=on" in gpu_build(machine, _system(computer))[0]


def test_the_command_sets_its_variable_as_each_systems_shell_does():
    flag, pip = "-DGGML_CUDA=on", "pip install --force-reinstall --no-deps --no-cache-dir llama-cpp-python==1.2.3"

    assert install_command(flag, "1.2.3", "linux") == f'CMAKE_ARGS="-DGGML_CUDA=on" {pip}'
    assert install_command(flag, "1.2.3", "win32") == f"$env:CMAKE_ARGS='-DGGML_CUDA=on'; {pip}"
