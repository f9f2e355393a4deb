# Everything a person or CI types. Each target makes the virtual environment it needs.
PYTHON ?= python3
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
# Generated cases are the same in every run of `test`, so that a failure can be run again.
.PHONY: demo test train-smoke fuzz fuzz-updates sim sim-bench bench soak npu-test arm64-test board-test image-test clean
# Played twice and compared to the byte by `test`, one of every sort; `make sim` does so with all.
TWICE = zone_entry rain_at_night crossing_paths fall_in_the_open no_helmet crowding camera_moved npu_stale \
	power_cut_with_alarm latched_alarm_after_reboot watchdog_bites hours_begin update_good update_reset_on_probation

demo: .venv/ready          ## a person walks into a zone: siren, events, annotated clip in demo_out/
	.venv/bin/python -m sim.demo --out demo_out

test: .venv-test/ready     ## lint, types, all tests, with both TFLite runtimes
	.venv-test/bin/ruff check .
	.venv-test/bin/ruff format --check .
	.venv-test/bin/mypy
	.venv-test/bin/python -m pytest
	.venv-test/bin/haetae sim run all --jobs 2 --junit build/sim.xml
	.venv-test/bin/haetae sim run $(TWICE) --repeat 2 --jobs 2

train-smoke: .venv-train/ready .venv-test/ready  ## a minute of training: the loss falls, both runtimes load it
	.venv-train/bin/python -m models.training.smoke build/smoke --load-with .venv-test/bin/python
	.venv-train/bin/python -m pytest -p no:anyio -W default --ignore-glob='*/test_shipped_*' tests/models/training

fuzz: .venv-test/ready     ## thousands of new generated cases for every property; prints how to repeat a failure
	HAETAE_HYPOTHESIS=fuzz .venv-test/bin/python -m pytest -k "$$(grep -rl '^@given' tests | sed 's:.*/::;s:\.py::' | paste -sd'|' | sed 's/|/ or /g')"

fuzz-updates: .venv-test/ready  ## a million spoilt bundles and link frames (some 40 minutes)
	.venv-test/bin/python -m tests.ota.fuzz --cases 1000000

sim: .venv-test/ready      ## every shipped scenario twice, with a report in sim_out/
	.venv-test/bin/haetae sim run all --repeat 2 --jobs 2 --report sim_out

soak: .venv-test/ready     ## 100,000 frames in a sealed loop: memory must not move
	.venv-test/bin/python -m tests.soak --frames 100000

npu-test: .venv-test/ready  ## the Rockchip back end on its real arm64 wheel, over a virtual NPU (qemu-user; 100 MB)
	.venv-test/bin/python -m tests.board.npu

board-test: .venv-test/ready  ## the firmware on a virtual arm64 board: real kernel, emulated devices (QEMU; 150 MB)
	.venv-test/bin/python -m tests.board.board_test

image-test: .venv-test/ready  ## a flashable image, built, checked, and booted through U-Boot in QEMU (300 MB)
	.venv-test/bin/python -m tests.board.image_test

arm64-test: .venv-test/ready  ## the unit tests of the camera's own code as arm64 code (qemu-user; 150 MB)
	.venv-test/bin/python -m tests.board.user_lane

bench: .venv-bench/ready   ## our loop beside what people write today, in one run
	.venv-bench/bin/python -m tests.bench --check

sim-bench: .venv-test/ready  ## how many times real time the simulator runs
	.venv-test/bin/python -m sim.bench

clean:
	rm -rf .venv .venv-test .venv-bench .venv-train .venv-rknn build demo_out bench_out sim_out

# The newest packages that the device would get.
.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -e .
	touch $@

# Both TFLite runtimes side by side: tflite-runtime wants Python 3.11 and numpy < 2.
.venv-test/ready: pyproject.toml
	$(PYTHON) -m venv .venv-test
	.venv-test/bin/pip install --quiet --disable-pip-version-check -e '.[tflite,sim,delta,net,modbus,dev,eval]'
	touch $@

# Two steps: PyTorch as such would bring its CUDA libraries along, several GB that nothing here needs.
.venv-train/ready: pyproject.toml
	$(PYTHON) -m venv .venv-train
	.venv-train/bin/pip install --quiet --disable-pip-version-check --retries 1 --no-deps \
		--extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0
	.venv-train/bin/pip install --quiet --disable-pip-version-check -e '.[train,sim,delta,net,dev]'
	touch $@

# Rockchip's converter, for `haetae model export --rknn`: other versions than ours, x86-64 only.
.venv-rknn/ready: models/training/requirements-rknn.txt
	$(PYTHON) -m venv .venv-rknn
	.venv-rknn/bin/pip install --quiet --disable-pip-version-check --retries 1 --no-deps \
		--extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0
	.venv-rknn/bin/pip install --quiet --disable-pip-version-check -r $<
	.venv-rknn/bin/pip install --quiet --disable-pip-version-check --no-deps rknn-toolkit2==2.5.0
	touch $@

# Two steps: trackers would overwrite the headless OpenCV, norfair would hold numpy back.
.venv-bench/ready: pyproject.toml tests/bench/requirements.txt tests/bench/requirements-no-deps.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check -e . -r tests/bench/requirements.txt
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --no-deps -r tests/bench/requirements-no-deps.txt
	touch $@
