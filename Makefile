# make run: set up and start. make test: set up and test. Both need Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test check lint types knowledge mail mailbox start soak fuzz bench whole layers setup clean

$(READY): requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Accueil needs Python 3.11 or newer; name it with: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

setup: $(READY)

# with a .env, what it names is served; without one, the console chat opens
run: setup
	@if [ -f .env ]; then set -a; . ./.env; set +a; fi; exec $(BIN)/python -m bot serve

# most tests wait for a server's poll more than they compute
WORKERS ?= 3
test: setup
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

knowledge: setup
	$(BIN)/python -m bot check
	$(BIN)/python -m bot evaluate tests/data/messages.jsonl tests/data/dialogues.jsonl \
	  --floor exact=0.92 --floor wrong=0.04 --floor missed=0.03 --known tests/data/known_failures.txt
	$(BIN)/python -m bot evaluate tests/data/held_out.jsonl tests/data/held_out_b.jsonl --floor exact=0.85 --floor wrong=0.06
	$(BIN)/python -m bot evaluate tests/data/held_out_k.jsonl tests/data/held_out_l.jsonl --floor exact=0.70 --floor missed=0.06

# SAMPLES names a folder of real mails with an index.jsonl
mail: setup
	$(BIN)/python benchmarks/mail.py $(SAMPLES)

# what a new mail costs in an empty mailbox and in one of MAILS; needs Debian's dovecot-imapd
MAILS ?= 100000
mailbox: setup
	$(BIN)/python benchmarks/mailbox.py --mails $(MAILS)

# how long the service takes to be ready with an empty cache, and its memory, STARTS times
STARTS ?= 5
start: setup
	$(BIN)/python benchmarks/start.py $(STARTS)

# kills the running service under load, KILLS times, and counts what was lost or doubled; OPTIONS: --seed N, --postgresql
KILLS ?= 200
soak: setup
	$(BIN)/python benchmarks/soak.py $(KILLS) $(OPTIONS)

# made-up mails at the reader, guided by the code that they reach; what it finds is written to fuzz-findings/
SECONDS ?= 60
$(VENV)/.fuzz: $(READY) requirements-fuzz.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.lock
	@touch $@

fuzz: $(VENV)/.fuzz
	$(BIN)/python benchmarks/fuzz_mail.py $(SECONDS) $(SAMPLES)

# the matcher beside plainer ones. MESSAGES: labelled files; OPTIONS: --noise FILE, --massive FILE, --quick, --json FILE
MESSAGES ?= tests/data/messages.jsonl tests/data/dialogues.jsonl
$(VENV)/.bench: $(READY) requirements-bench.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/understanding.py $(addprefix --messages ,$(MESSAGES)) $(OPTIONS)

# how surely whole messages are understood (log-loss): a finer figure than exact, to compare matchers by
whole: setup
	$(BIN)/python benchmarks/whole.py $(FILES)

# the sentence encoder's layers anew, an hour and a half; FRENCH, ENGLISH: folders that teaching/__main__.py tells of
$(VENV)/.teach: $(READY) requirements-teach.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-teach.lock
	@touch $@

layers: $(VENV)/.teach
	$(BIN)/python -m teaching $(FRENCH) $(ENGLISH)

check: lint types knowledge test

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
