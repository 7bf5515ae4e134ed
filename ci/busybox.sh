# busybox.sh - what a shell and its tools do all day; run by the same BusyBox on
# the host and on Quire, in an empty directory, and compared line by line.
# Nothing here may depend on the time, the user, process ids or inode numbers.
LC_ALL=C
export LC_ALL
umask 022
section() {
	echo "== $*"
}

section printf and echo
printf '%s %d %05d %x %c|%-6s|%6s|\n' word 42 42 255 char left right
printf '%b' 'a\tb\n'
echo -n no newline; echo; echo -e 'tab\there'

section variables and arithmetic
a=5 b=7
echo $((a * b + 3)) $((a << 3 | 1)) $((-7 / 2)) $((-7 % 3)) $((0x1f))
s=abcdef.tar.gz
echo ${s%.gz} ${s%%.*} ${s#abc} ${s##*.} ${#s} ${none:-default} ${a:+set}
set -- one two 'three four'
echo $# "$2" "$3"; shift; echo "$*"
for i in "$@"; do echo "<$i>"; done
readonly r=1; (r=2) 2>/dev/null || echo readonly

section control
i=0
while [ $i -lt 5 ]; do i=$((i + 1)); [ $i = 3 ] && continue; echo -n "$i "; done; echo
until false; do echo once; break; done
case hello.c in *.h) echo header;; *.[co]) echo source;; esac
f() { local x=$1; [ $x -le 1 ] && echo 1 && return; echo $((x * $(f $((x - 1))))); }
f 6
if test -d / -a ! -e /nowhere; then echo dir; fi
[ abc \< abd ] && echo less
false || true && echo precedence
! false && echo negation
(exit 3); echo $?
sh -c 'exit 300'; echo $?
sh -c 'kill -TERM $$'; echo $?
nosuchcommand 2>/dev/null; echo $?

section redirection
echo first >f1; echo second >>f1; cat <f1
{ echo out; echo err >&2; } 2>&1 >f2 | sed 's/^/piped: /'; cat f2
exec 3>f3; echo three >&3; exec 3>&-; cat f3
cat <<END
a is $a, sum $((a + b)), cmd $(echo sub)
END
cat <<'END'
a is $a
END
cat <<-END
	tab gone
	END
exec 4<f1; read x <&4; read y <&4; echo $y $x; exec 4<&-
set -C; (echo x >f1) 2>/dev/null || echo noclobber; set +C
: >empty; wc -c <empty

section pipelines
seq 1 1000 | grep 7 | wc -l
seq 1 100000 | tail -n 1
yes | head -n 3
seq 10 | while read n; do echo $((n * n)); done | tr '\n' ' '; echo
echo a b c | { read x y; echo "$y-$x"; }
seq 20 | paste -s -d+ - 2>/dev/null | tee t1 | wc -c
seq 1 5 | tac | xargs
seq 1 6 | xargs -n 2 echo pair
printf 'x\0y z\0' | xargs -0 -n 1 echo item
true | false; echo $?
mkfifo p1; (echo through the fifo >p1 &); cat p1; rm p1

section jobs and traps
(sleep 0.2; echo slow) & (echo fast); wait; echo waited
sleep 0.1 & pid=$!; wait $pid; echo $?
sleep 5 & kill $!; wait $!; echo $?
trap 'echo trapped' USR1; kill -USR1 $$; trap - USR1
(trap 'echo leaving' EXIT; echo body)
sh -c 'trap "echo int; exit 4" INT; kill -INT $$; echo not reached'; echo $?
(sh -c 'trap "" TERM; kill -TERM $$; echo ignored')
for i in 1 2 3 4 5 6 7 8; do (exit $i) & done; wait; echo all reaped

section globbing
mkdir g; cd g; touch a1 a2 b1 .hidden 'with space' x.c y.c z.h
echo *; echo a?; echo [!a]*; echo .h*; echo *.[ch]; echo no*match
for f in *; do [ -e "$f" ] || echo missing "$f"; done
cd ..; echo g/*1; rm -r g; ls -d g 2>/dev/null || echo removed

section files
mkdir -p d/e/f; echo hi >d/e/f/file; ln -s e/f/file d/link; ln d/e/f/file d/hard
cat d/link; cat d/hard; readlink d/link
chmod 640 d/hard; stat -c '%a %h %s %F' d/e/f/file
stat -c '%N %F' d/link
cp -a d d2; find d2 | sort; stat -c '%a %h %s' d2/hard; [ -L d2/link ] && echo link kept
mv d2/hard d2/e/moved; find d2 -type f | sort; find d2 -type l
touch -d '2020-02-03 04:05:06' d2/e/moved; stat -c '%Y' d2/e/moved
find . -newer d2/e/moved -name 'f?' | sort
find d -name '*i*' -exec echo found {} \; | sort
rm -rf d2; [ -e d2 ] || echo gone
rmdir d 2>/dev/null || echo not empty
mkdir d 2>/dev/null || echo exists
cat nosuch 2>&1
cd nosuch 2>/dev/null || echo no directory
ls -lnR d | awk '{ print $1, $2, $5, $9, $10, $11 }' | sed 's/^total.*/total/;s/^\(d[^ ]* [0-9]*\) [0-9]*/\1/'
ls -1 d | sort -r; ls -a d | wc -l
du -a d >/dev/null && echo du
: >"$(printf 'odd\tname')"; ls | grep -c odd; rm odd*
ln -s loop loop; cat loop 2>/dev/null || echo loop; rm loop
i=0; while [ $i -lt 200 ]; do echo $i >many.$i; i=$((i + 1)); done
ls many.* | wc -l; cat many.* | sort -n | tail -n 1; rm many.*; ls many.* 2>/dev/null | wc -l
mktemp -d ./tmp.XXXXXX | cut -c1-6
truncate -s 100000 sparse; wc -c <sparse; tail -c 3 sparse | od -An -tx1; rm sparse

section text tools
printf 'pear 3\napple 1\nfig 2\n' >l
sort l; sort -k2n l; sort -r l | head -n 1; cut -d' ' -f2 l | tr '123' 'abc'
sed -n '2p;s/pear/PEAR/p' l; sed 's/\(.\)\(.*\)/\2\1/;/^ig/d' l; sed -i 's/fig/date/' l; cat l
awk '{ s += $2; n[$1] = $2 } END { print s, length(n), n["apple"]; printf "%.3f\n", s / 7 }' l
awk 'BEGIN { while (i++ < 5) printf "%s%s", i * i, i < 5 ? "," : "\n"; print substr("hello", 2, 3), toupper("x"), index("abc", "c") }'
grep -n -i PEAR l; grep -c . l; grep -v pear l; grep -E '^(a|d)' l; grep -q zzz l || echo none
mkdir gr; echo needle >gr/one; mkdir gr/sub; echo 'a needle here' >gr/sub/two; echo hay >gr/three
grep -r needle gr | sort; grep -rl needle gr | wc -l; rm -r gr
printf 'a\nb\nb\nc\n' | uniq -c | sed 's/^ *//'; printf '1\n2\n3\n' >n1; printf '2\n3\n4\n' >n2
comm n1 n2 2>/dev/null; diff n1 n2; diff -u n1 n2 | tail -n +3; cmp n1 n2
echo 'hello world' | tr a-z A-Z | rev | fold -w 5; echo; expr 3 + 4 \* 2; expr length abcde
nl l; head -c 5 l; echo; tail -n 2 l; wc l; od -c l | head -n 2; hexdump -C n1
seq 3 | sed 'N;N;s/\n/-/g'; echo abc | sed 'y/abc/xyz/'; factor 360 97 2>/dev/null
echo 'YWJjCg==' | base64 -d; echo abc | base64; printf 'a,b\n' | cut -d, -f2
dc -e '2 64 ^ p' 2>/dev/null || echo '2 64^p' | dc; echo '3.5*2' | bc 2>/dev/null
date -u -d @86400 '+%Y-%m-%d %H:%M:%S'; basename /a/b.c .c; dirname /a/b.c

section sums and archives
awk 'BEGIN { srand(7); x = 12345; for (i = 0; i < 450000; i++) { x = (x * 16807) % 2147483647; printf "%d line %d\n", x, i } }' >big
wc big; md5sum big; sha256sum big; sha1sum <big
sort big >s1; sha256sum s1; sort -n big | sha256sum; sort -rn -k3 big | head -n 2
grep -c 77 big; sed 's/line/LINE/' big | sha256sum; awk '{ s = (s + $1) % 1000003 } END { print s }' big
tr 0-9 a-j <big | cut -c1-8 | uniq | wc -l
gzip -c big >big.gz; gzip -dc big.gz | cmp - big && echo gzip ok; gunzip -t big.gz && echo test ok
bzip2 -c n1 | bunzip2 -c
mkdir ar; cp l n1 n2 ar; mkdir ar/sub; cp f1 ar/sub; ln -s l ar/sym
tar -cf ar.tar ar; tar -tf ar.tar | sort; mkdir x; tar -xf ar.tar -C x; diff -r ar x/ar && echo tar ok
tar -czf ar.tgz ar; tar -xzOf ar.tgz ar/sub/f1; find ar | sort | cpio -o -H newc 2>/dev/null | cpio -t 2>/dev/null | wc -l
dd if=big of=dd1 bs=1000 count=5 skip=3 2>/dev/null; sha256sum dd1
dd if=/dev/zero of=dd2 bs=1k count=0 seek=64 2>/dev/null; wc -c <dd2
dd if=n1 of=dd2 conv=notrunc bs=2 seek=5 2>/dev/null; head -c 20 dd2 | od -An -tx1
head -c 100000 /dev/urandom | wc -c; head -c 10 /dev/zero | od -An -tx1; echo x >/dev/null

section processes
env -i A=1 /bin/sh -c 'echo $A' 2>/dev/null || env -i A=1 sh -c 'echo $A'
export E=exported; sh -c 'echo $E'
sh -c 'echo $0 $1' name arg
echo "echo from a script \$1" >script; sh script arg; printf '#!/bin/sh\necho "$@" $#\n' >sc; chmod +x sc; ./sc 'a b' c
chmod -x sc; ./sc 2>/dev/null; echo $?
eval 'echo evaluated $((1 + 1))'; . ./script sourced
time true 2>/dev/null; echo timed
timeout 1 sleep 5; echo $?
nohup echo nohup 2>/dev/null
ulimit -n >/dev/null && echo ulimit
x=$(for i in 1 2 3; do echo $i; done); echo $x
echo $(echo nested $(echo deeper $(echo deepest)))
i=0; while [ $i -lt 100 ]; do $(true); i=$((i + 1)); done; echo 100 forks
i=0; while [ $i -lt 50 ]; do busybox true; i=$((i + 1)); done; echo 50 execs
seq 1 3 | (cat; echo end) | sed '$s/$/!/'
test -t 0 </dev/null || echo not a terminal
getopts ab: opt -b val && echo $opt $OPTARG
echo "done $?"
