"""interactive.py - a person at the serial console: what is typed, what comes.

Each test gets a Machine at a shell's prompt.
"""

from qemu import Failure

PROMPT = r"[#$] (?:\x1b\[6n)?$"
CTRL_C, CTRL_D, CTRL_Z = "\x03", "\x04", "\x1a"
ENTER = "\r"


def run(m, line, pattern, timeout=20):
    """Type a line, wait for its output and the next prompt."""
    m.send(line + ENTER)
    found = m.expect(pattern, timeout)
    m.expect(PROMPT, timeout)
    return found


def press(m, key, pattern, timeout=10):
    """A key for a program that may not be there yet: again until it answers."""
    for _ in range(timeout):
        m.send(key)
        try:
            return m.expect(pattern, 1)
        except Failure:
            pass
    return m.expect(pattern, timeout)


def prompt(m):
    run(m, "echo $((6 * 7))", r"^42$")
    run(m, "tty", r"^/dev/")
    m.send("\r")
    m.expect(PROMPT, 10)


def editing(m):
    """Line editing by the shell: erase, kill, left, insert."""
    m.send("echo abX\x7fc\r")
    m.expect(r"^abc$", 10)
    m.expect(PROMPT, 10)
    m.send("garbage\x15echo killed\r")
    m.expect(r"^killed$", 10)
    m.expect(PROMPT, 10)
    m.send("echo ac\x1b[Db\r")
    m.expect(r"^abc$", 10)
    m.expect(PROMPT, 10)


def cooked(m):
    """Line editing by the terminal itself."""
    m.send("cat\r")
    m.drain(0.7)
    m.send("onX\x7fe\r")
    m.expect(r"^one$", 10)
    m.send("nothing\x15two\r")
    m.expect(r"^two$", 10)
    m.send("two words\x17left\r")
    m.expect(r"^two left$", 10)
    m.send(CTRL_D)
    m.expect(PROMPT, 10)


def erasedtab(m):
    """A tab is erased, though output is no longer processed when it is."""
    m.send("sleep 2; stty -opost; echo now''raw; sleep 2; stty opost\r")
    m.drain(1)
    m.send("\t")
    m.expect(r"^[\t\b]*nowraw$", 10)
    m.send("\x7f")
    m.expect(PROMPT, 10)
    run(m, "echo after-$((2 + 3))", r"^after-5$")


def rawread(m, modes, keys, early=""):
    """What one read gets in these modes, keys typed; early must not end it."""
    m.send("stty -icanon -echo %s; echo ready; x=$(dd bs=9 count=1 2>/dev/null)"
           "; stty sane; echo got:$x\r" % modes)
    m.expect(r"^ready$", 10)
    if early:
        m.send(early)
        m.drain(0.5)
        if "\ngot:" in m.text[-40:]:
            raise Failure("a read ended too early")
    m.send(keys)
    m.expect(r"^got:%s$" % (early + keys), 10)
    m.expect(PROMPT, 10)


def raw(m):
    """VMIN and VTIME: how much and how long a raw read waits for."""
    rawread(m, "min 3 time 0", "c", early="ab")
    rawread(m, "min 9 time 3", "abcd")  # between two keys
    rawread(m, "min 0 time 3", "")      # for the first
    rawread(m, "min 0 time 0", "")


def completion(m):
    run(m, "cd /tmp && touch averylongname && echo made", r"^made$")
    m.send("echo avery\t")
    m.expect("averylongname", 10)
    m.send("\r")
    m.expect(r"^averylongname *$", 10)


def history(m):
    run(m, "echo first-$((1 + 1))", r"^first-2$")
    m.send("\x1b[A")
    m.expect(r"echo first", 10)
    m.send("\r")
    m.expect(r"^first-2$", 10)


def interrupt(m):
    """Ctrl-C ends sleep and a busy loop, not the shell."""
    for line in ("sleep 100", "cat", "while :; do :; done", "yes >/dev/null"):
        m.send(line + ENTER)
        m.drain(0.7)
        press(m, CTRL_C, PROMPT)
    run(m, "echo alive", r"^alive$")


def jobs(m):
    """Ctrl-Z, jobs, bg, fg."""
    m.send("/bin/sleep 60\r")  # ash may have a sleep of its own
    m.drain(0.7)
    press(m, CTRL_Z, r"Stopped")
    m.expect(PROMPT, 10)
    run(m, "jobs", r"Stopped.*sleep")
    run(m, "bg", r"sleep 60")
    run(m, "jobs", r"Running.*sleep")
    m.send("fg\r")
    m.drain(0.7)
    press(m, CTRL_C, PROMPT)
    run(m, "jobs; echo none-left", r"^none-left$")


# Files of busyjobs's root: something for every CPU; jobs whose ends are known.
# ash looks for stops before each built-in and is never told of a SIGCONT: if the
# job stops at once and dies late, its `wait` says 147, on Linux too, until the
# end has come.
BUSYFILES = [("load.sh", """
for i in 1 2 3; do while :; do :; done & done
while :; do ls -lR /proc/self | sort >/dev/null; done 2>/dev/null &
while :; do seq 300 | sed s/1/x/ | wc >/dev/null; done &
"""), ("statuses.sh", """
is() { [ "$2" = "$3" ] || bad="$bad $i:$1=$2"; }
i=0; bad=
while [ $i -lt 20 ]; do
	(exit $i) & a=$!
	sh -c 'kill -9 $$' & b=$!
	seq $i 200 | sort -rn | cat | tail -n 1 >/tmp/last &
	/bin/sleep 1000 & c=$!
	kill -STOP $c; kill -CONT $c; kill $c
	wait $a; is exit $? $i
	wait $b; is kill $? 137
	wait $c; s=$?
	while [ $s = 147 ]; do wait $c; s=$?; done
	is stop $s 143
	wait; is last "$(cat /tmp/last)" $i
	i=$((i + 1))
done 2>/dev/null
echo "statuses${bad:- right}"
""")]


def busyjobs(m):
    """Job control, and what wait finds, while every CPU is busy."""
    run(m, ". /load.sh; echo loaded-$((1 + 1))", r"^loaded-2$")
    run(m, "sh /statuses.sh", r"^statuses right$", 120)
    run(m, "set -b; sh -m /statuses.sh", r"^statuses right$", 120)
    for _ in range(5):
        m.send("/bin/sleep 600 | cat\r")
        m.drain(0.7)
        press(m, CTRL_Z, r"Stopped", 30)
        m.expect(PROMPT, 30)
        run(m, "bg", r"sleep 600", 30)
        run(m, "jobs", r"Running.*sleep 600", 30)
        m.send("fg\r")
        m.drain(0.7)
        press(m, CTRL_C, PROMPT, 30)
    run(m, "for p in $(jobs -p); do kill -9 -$p; done; wait; echo ended", r"^ended$", 60)
    run(m, "jobs; echo none-left", r"^none-left$", 60)


def eof(m):
    """Ctrl-D ends the shell; init starts another."""
    m.send(CTRL_D)
    m.expect(PROMPT, 20)
    run(m, "echo again-$((2 + 3))", r"^again-5$")


def vi(m):
    m.send("stty rows 24 cols 80; vi /tmp/note\r")
    m.expect(r"/tmp/note", 10)
    m.send("ihello from vi\x1b")
    m.drain(0.5)
    m.send("oline two\x1b")
    m.drain(0.5)
    m.send(":wq\r")
    m.expect(PROMPT, 10)
    run(m, "cat /tmp/note | tr a-z A-Z", r"^HELLO FROM VI\nLINE TWO$")


def less(m):
    m.send("stty rows 24 cols 80; seq 100 200 >/tmp/n; less /tmp/n\r")
    m.expect(r"100", 10)
    m.drain(0.5)
    m.send(" ")
    m.expect(r"140", 10)
    m.drain(0.5)
    m.send("/")
    m.expect(r"\x1b\[24;0H\x1b\[K/", 10)
    m.send("199")
    m.expect(r"9\x1b\[24;5H", 10)
    m.send("\r")
    m.expect(r"\x1b\[7m199", 10)
    m.drain(0.5)
    m.send("q")
    m.expect(PROMPT, 10)


def top(m):
    run(m, "top -b -n 1 | head -n 4", r"Mem:.*used")
    m.send("stty rows 24 cols 80; top\r")
    m.expect(r"Load average", 10)
    m.expect(r"top", 10)
    m.send("q")
    m.expect(PROMPT, 10)
    run(m, "echo left top", r"^left top$")


def tools(m):
    """What reads /proc."""
    run(m, "ps", r"^ *1 .*init")
    run(m, "free", r"^Mem: +\d+ +\d+ +\d+")
    run(m, "uptime", r"up .*load average")
    run(m, "mount", r"proc on /proc type proc")
    run(m, "df -a", r"% /proc$")
    run(m, "readlink /proc/self/exe", r"^/bin/busybox$")
    run(m, "cat /proc/self/maps", r"\[stack\]$")
    run(m, "cat /proc/vmcheck > /dev/null && echo checked", r"^checked$")
    run(m, "/bin/sleep 50 & sleep 0.5; pidof sleep", r"^\d+$")
    run(m, "kill $! && wait; pgrep sleep || echo dead", r"^dead$")
    run(m, "uname -sm", r"i[3-6]86")
    run(m, "ls -l /proc/self/fd/0", r"-> /dev/")


def signals(m):
    """A fault names itself; a script can catch Ctrl-C."""
    run(m, "sh -c 'kill -SEGV $$'; echo $?", r"^139$")
    m.send("sh -c 'trap \"echo caught; exit 5\" INT; while :; do sleep 1; "
           "done'\r")
    m.drain(0.7)
    press(m, CTRL_C, r"caught$")
    m.expect(PROMPT, 10)
    run(m, "echo $?", r"^5$")


def pasted(m):
    """Much input at once: nothing is lost."""
    m.send("cat >/tmp/pasted\r")
    m.drain(0.5)
    for n in range(100):
        m.send("line %d of a text that is pasted\r" % n)
    m.send(CTRL_D)
    m.expect(PROMPT, 30)
    run(m, "wc /tmp/pasted", r"^ *100 +800 ")


def off(m):
    """poweroff ends QEMU with 0."""
    m.send("poweroff\r")
    if m.wait() != 0:
        raise Failure("QEMU left with %d" % m.rc)


TESTS = [
    ("prompt", prompt), ("editing", editing), ("cooked", cooked),
    ("raw", raw),
    ("erased-tab", erasedtab),
    ("completion", completion), ("history", history),
    ("interrupt", interrupt), ("jobs", jobs), ("eof", eof), ("vi", vi),
    ("less", less), ("top", top), ("tools", tools), ("signals", signals),
    ("pasted", pasted), ("off", off),
]
