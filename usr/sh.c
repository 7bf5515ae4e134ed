/*
 * sh.c - qsh, a shell that can be read in one sitting.
 *
 *   list      pipeline { (; | & | && | ||) pipeline }
 *   pipeline  command { | command }
 *   command   words and redirections: < file, > file, >> file, 2> file, 2>&1
 *
 * Words may be quoted with ', " and \; $NAME, $? and $$ are replaced.  Built
 * in: cd, exit, exec, export, wait, jobs, fg, bg.  When it reads a terminal,
 * each pipeline is a process group of its own, and ^C and ^Z are for it alone.
 *
 * A line is first cut into tokens, then run from left to right; nothing is
 * allocated but words, and those live until the line is done.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NTOKEN 256
#define NJOB   16
#define LINE   4096

/* Operators are tokens that point into here, so that a quoted ";" is a word. */
static char *const operators[] = {"&&", "||", ">>", "2>&1", "2>", ";", "&", "|",
	"<", ">", 0};

static struct job {
	int pgid; /* 0: free */
	char text[64];
} jobs[NJOB];

static char *token[NTOKEN + 1];
static int ntoken;
static char text[4 * LINE]; /* the words of the line */
static char *textend;
static int laststatus, interactive, shellpgid;

static void prompt(void);
static void runline(char *line);
static int tokenize(char *s);
static char *word(char **s);
static char *variable(char **s, char *out);
static void runlist(void);
static int runpipeline(int from, int to, int background);
static void startcommand(int from, int to, int in, int out, int pgid, int bg);
static int redirect(int from, int to, char **argv);
static int builtin(char **argv);
static int waitjob(int pgid, const char *name);
static int jobcommand(char **argv);
static void reapjobs(void);

int
main(int argc, char **argv)
{
	static char line[LINE];
	FILE *in = stdin;

	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		runline(argv[2]);
		return laststatus;
	}
	if (argc > 1)
		in = fopen(argv[1], "re");
	if (in == 0) {
		fprintf(stderr, "qsh: %s: %s\n", argv[1], strerror(errno));
		return 127;
	}
	interactive = in == stdin && isatty(0);
	if (interactive) {
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
		signal(SIGTSTP, SIG_IGN);
		signal(SIGTTOU, SIG_IGN);
		signal(SIGTTIN, SIG_IGN);
		setpgid(0, 0); /* fails for a session's leader, who has one */
		shellpgid = getpgrp();
		tcsetpgrp(0, shellpgid);
	}
	for (prompt(); fgets(line, sizeof line, in); prompt())
		runline(line);
	return laststatus;
}

static void
prompt(void)
{
	char dir[256];

	reapjobs();
	if (!interactive)
		return;
	printf("%s%s ", getcwd(dir, sizeof dir) ? dir : "?",
		getuid() ? "$" : "#");
	fflush(stdout);
}

static void
runline(char *line)
{
	if (tokenize(line) < 0)
		laststatus = 2;
	else
		runlist();
	fflush(stdout);
}

static int
complain(const char *what, const char *why)
{
	fprintf(stderr, "qsh: %s: %s\n", what, why);
	return -1;
}

/* The operator that s begins with, or 0. */
static char *
operatorat(const char *s)
{
	int i;

	for (i = 0; operators[i]; i++)
		if (strncmp(s, operators[i], strlen(operators[i])) == 0)
			return operators[i];
	return 0;
}

static int
tokenize(char *s)
{
	char *op;

	ntoken = 0;
	textend = text;
	for (;;) {
		s += strspn(s, " \t\n");
		if (*s == 0 || *s == '#')
			break;
		if (ntoken == NTOKEN)
			return complain("line", "too many words");
		op = operatorat(s);
		if (op)
			s += strlen(op);
		token[ntoken++] = op ? op : word(&s);
		if (token[ntoken - 1] == 0)
			return complain("line", "too long, or a quote is open");
	}
	token[ntoken] = 0;
	return 0;
}

/* One word, unquoted and with its variables replaced; 0 if it cannot be. */
static char *
word(char **sp)
{
	char *s = *sp, *start = textend, *out = textend, quote = 0;

	for (; *s && *s != '\n'; s++) {
		if (out > text + sizeof text - LINE)
			return 0;
		if (quote && *s == quote)
			quote = 0;
		else if (!quote && (*s == '\'' || *s == '"'))
			quote = *s;
		else if (*s == '\\' && quote != '\'' && s[1])
			*out++ = *++s;
		else if (*s == '$' && quote != '\'')
			out = variable(&s, out);
		else if (!quote && (isspace((unsigned char)*s) ||
					   strchr(";&|<>", *s)))
			break;
		else
			*out++ = *s;
	}
	*out = 0;
	textend = out + 1;
	*sp = s;
	return quote ? 0 : start;
}

/* Put the value of the variable at *sp at out; *sp ends on its last letter. */
static char *
variable(char **sp, char *out)
{
	char *s = *sp + 1, name[64];
	const char *value;
	int n = 0;

	if (*s == '?' || *s == '$') {
		*sp = s;
		return out + sprintf(out, "%d",
			*s == '?' ? laststatus : getpid());
	}
	while ((isalnum((unsigned char)*s) || *s == '_') && n < 63)
		name[n++] = *s++;
	name[n] = 0;
	*sp = s - 1;
	value = n ? getenv(name) : "$";
	return out + sprintf(out, "%.1024s", value ? value : "");
}

static int
is(int i, const char *op)
{
	return i < ntoken && operatorat(op) == token[i];
}

static void
runlist(void)
{
	int from, to, skip = 0;

	for (from = 0; from < ntoken; from = to + 1) {
		for (to = from; to < ntoken; to++)
			if (is(to, ";") || is(to, "&") || is(to, "&&") ||
				is(to, "||"))
				break;
		if (!skip && to > from)
			laststatus = runpipeline(from, to, is(to, "&"));
		skip = (is(to, "&&") && laststatus != 0) ||
			(is(to, "||") && laststatus == 0);
	}
}

/* Tokens [from, to).  Returns the status of the last command. */
static int
runpipeline(int from, int to, int background)
{
	char *argv[NTOKEN + 1];
	int i, in = 0, fd[2], pgid = 0, pid = 0, bar = 0;

	for (i = from; i < to; i++)
		bar += is(i, "|");
	if (!bar && !background) {
		for (i = from; i < to; i++)
			argv[i - from] = token[i];
		argv[to - from] = 0;
		i = builtin(argv);
		if (i >= 0)
			return i;
	}
	fflush(stdout);
	for (; from < to; from = i + 1) {
		for (i = from; i < to && !is(i, "|"); i++)
			;
		fd[0] = -1;
		fd[1] = 1;
		if (i < to && pipe2(fd, O_CLOEXEC) < 0)
			return -complain("pipe", strerror(errno));
		pid = fork();
		if (pid == 0)
			startcommand(from, i, in, fd[1], pgid, background);
		if (pid < 0)
			return -complain("fork", strerror(errno));
		if (pgid == 0)
			pgid = pid;
		if (interactive)
			setpgid(pid, pgid);
		if (in > 0)
			close(in);
		if (fd[1] > 1)
			close(fd[1]);
		in = fd[0];
	}
	if (!background)
		return waitjob(interactive ? pgid : pid, token[0]);
	for (i = 0; i < NJOB && jobs[i].pgid; i++)
		;
	if (i < NJOB) {
		jobs[i].pgid = pgid;
		snprintf(jobs[i].text, sizeof jobs[i].text, "%s", token[0]);
	}
	return 0;
}

/* In the child: never returns. */
static void
startcommand(int from, int to, int in, int out, int pgid, int bg)
{
	static const int sigs[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTOU, SIGTTIN};
	char *argv[NTOKEN + 1];
	size_t i;
	int r;

	if (interactive) {
		setpgid(0, pgid);
		if (!bg)
			tcsetpgrp(0, getpgrp());
		for (i = 0; i < sizeof sigs / sizeof sigs[0]; i++)
			signal(sigs[i], SIG_DFL);
	}
	interactive = 0;
	if (in > 0)
		dup2(in, 0);
	if (out != 1)
		dup2(out, 1);
	if (redirect(from, to, argv) < 0)
		_exit(1);
	if (argv[0] == 0)
		_exit(0);
	r = builtin(argv);
	fflush(stdout);
	if (r >= 0)
		_exit(r);
	execvp(argv[0], argv);
	complain(argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Carry out the redirections; the words that remain are argv. */
static int
redirect(int from, int to, char **argv)
{
	int fd, flags, target, n = 0;

	for (; from < to; from++) {
		if (is(from, "2>&1")) {
			dup2(1, 2);
			continue;
		}
		target = is(from, "<") ? 0 : is(from, "2>") ? 2 : 1;
		if (target == 1 && !is(from, ">") && !is(from, ">>")) {
			argv[n++] = token[from];
			continue;
		}
		flags = target == 0         ? O_RDONLY
			: is(from, ">>") ? O_WRONLY | O_CREAT | O_APPEND
					 : O_WRONLY | O_CREAT | O_TRUNC;
		if (++from == to)
			return complain("redirection", "no file");
		fd = open(token[from], flags | O_CLOEXEC, 0666);
		if (fd < 0)
			return complain(token[from], strerror(errno));
		dup2(fd, target);
		close(fd);
	}
	argv[n] = 0;
	return 0;
}

/* What only the shell itself can do: its status, or -1 if it is not that. */
static int
builtin(char **argv)
{
	char *value;

	if (strcmp(argv[0], "cd") == 0) {
		value = argv[1] ? argv[1] : getenv("HOME");
		if (chdir(value ? value : "/") == 0)
			return 0;
		return -complain(value ? value : "/", strerror(errno));
	}
	if (strcmp(argv[0], "exit") == 0)
		exit(argv[1] ? atoi(argv[1]) : laststatus);
	if (strcmp(argv[0], "exec") == 0 && argv[1]) {
		execvp(argv[1], argv + 1);
		return -complain(argv[1], strerror(errno));
	}
	if (strcmp(argv[0], "export") == 0) {
		value = argv[1] ? strchr(argv[1], '=') : 0;
		if (value == 0)
			return 0;
		*value = 0;
		return setenv(argv[1], value + 1, 1) < 0;
	}
	return jobcommand(argv);
}

/* Wait for a pipeline, give the terminal back: the status of its last. */
static int
waitjob(int pgid, const char *name)
{
	int st = 0, pid, i, stopped = 0;

	while ((pid = waitpid(interactive ? -pgid : pgid, &st, WUNTRACED)) !=
		0) {
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			break;
		stopped = WIFSTOPPED(st);
		laststatus = WIFEXITED(st) ? WEXITSTATUS(st)
					   : 128 + (WTERMSIG(st) & 0x7f);
		if (stopped)
			break;
	}
	if (interactive)
		tcsetpgrp(0, shellpgid);
	for (i = 0; i < NJOB && stopped; i++) {
		if (jobs[i].pgid)
			continue;
		jobs[i].pgid = pgid;
		snprintf(jobs[i].text, sizeof jobs[i].text, "%s", name);
		printf("[%d] stopped  %s\n", i + 1, name);
		return 128 + SIGTSTP;
	}
	return laststatus;
}

/* jobs, wait, fg and bg; the last two of a job by its number. */
static int
jobcommand(char **argv)
{
	int i, pgid, fg = strcmp(argv[0], "fg") == 0;

	if (strcmp(argv[0], "jobs") == 0) {
		for (i = 0; i < NJOB; i++)
			if (jobs[i].pgid)
				printf("[%d] %s\n", i + 1, jobs[i].text);
		return 0;
	}
	if (strcmp(argv[0], "wait") == 0) {
		while (wait(0) > 0)
			;
		return 0;
	}
	if (!fg && strcmp(argv[0], "bg") != 0)
		return -1;
	i = argv[1] ? atoi(argv[1] + (argv[1][0] == '%')) - 1 : 0;
	if (i < 0 || i >= NJOB || jobs[i].pgid == 0)
		return -complain(argv[0], "no such job");
	pgid = jobs[i].pgid;
	if (fg && interactive)
		tcsetpgrp(0, pgid);
	kill(-pgid, SIGCONT);
	if (!fg)
		return 0;
	jobs[i].pgid = 0;
	return waitjob(pgid, jobs[i].text);
}

/* Forget the jobs of which no process is left. */
static void
reapjobs(void)
{
	int i;

	while (waitpid(-1, 0, WNOHANG) > 0)
		;
	for (i = 0; i < NJOB; i++) {
		if (jobs[i].pgid == 0 || kill(-jobs[i].pgid, 0) == 0)
			continue;
		if (interactive)
			printf("[%d] done  %s\n", i + 1, jobs[i].text);
		jobs[i].pgid = 0;
	}
}
