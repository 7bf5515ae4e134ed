/* true.c - a program that does nothing: what it costs to run one. */

int
main(void)
{
	return 0;
}
