import type { SpawnCommand, SpawnLimits } from '../protocol.ts'

/** What is executed: a program and its arguments. */
export interface Argv {
  readonly file: string
  readonly args: readonly string[]
}

/** What the machine has to start a process with. Absent: not enforced here. */
export interface LaunchTools {
  /** util-linux: sets resource limits, then executes. */
  readonly prlimit: string | undefined
  /** util-linux: sets no_new_privs, then executes. */
  readonly setpriv: string | undefined
  /** Highest number of open files that may be asked for. */
  readonly maxOpenFiles: number
  /** Limit on processes by uid instead of by cgroup: only where each app has its uid and there is no cgroup. */
  readonly limitProcessesByUid: boolean
}

const defaultOpenFiles = 65_536

/** Variables that act on whatever is executed next, and so may not reach the programs that set the limits. */
const loaderVariable = /^(LD_|GLIBC_TUNABLES$|GCONV_PATH$|NLSPATH$)/

/**
 * The whole command line: limits, no_new_privs, the command. Variables of the dynamic loader travel as arguments of
 * `env`, after the limits: in the environment they would load the app's code into the programs that set them.
 */
export function launchArgv(
  command: SpawnCommand,
  limits: SpawnLimits,
  env: Readonly<Record<string, string>>,
  tools: LaunchTools,
): { argv: Argv; env: Record<string, string> } {
  const inner = commandArgv(command)
  const loader = Object.entries(env).filter(([name]) => loaderVariable.test(name))
  const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !loaderVariable.test(name)))
  const words: string[] = []
  if (tools.prlimit) words.push(tools.prlimit, ...limitOptions(limits, tools), '--')
  if (tools.setpriv) words.push(tools.setpriv, '--no-new-privs', '--')
  if (loader.length > 0) words.push('/usr/bin/env', '--', ...loader.map(([name, value]) => `${name}=${value}`))
  const [file = inner.file, ...args] = [...words, inner.file, ...inner.args]
  return { argv: { file, args }, env: rest }
}

function limitOptions(limits: SpawnLimits, tools: LaunchTools): string[] {
  const options = ['--core=0', `--nofile=${Math.min(limits.openFiles ?? defaultOpenFiles, tools.maxOpenFiles)}`]
  if (limits.fileBytes !== undefined) options.push(`--fsize=${limits.fileBytes}`)
  if (limits.processes !== undefined && tools.limitProcessesByUid) {
    // The kernel counts a uid's threads over all of the app's copies: a guard against fork bombs, not a quota.
    options.push(`--nproc=${limits.processes * 8}`)
  }
  return options
}

export function commandArgv(command: SpawnCommand): Argv {
  if (command.kind === 'argv') return { file: command.file, args: command.args }
  const line = isSimpleCommand(command.line) ? `exec ${command.line.trim()}` : command.line
  return { file: '/bin/sh', args: ['-c', line] }
}

/**
 * Whether `exec` in front of the line means the same, without the shell staying in between (where it would swallow the
 * signals): one plain program name, then words without anything that makes a second command, a redirection or a
 * substitution. Quotes and `$NAME` may stand in the words. In doubt: no.
 */
export function isSimpleCommand(line: string): boolean {
  const match = /^[ \t]*([A-Za-z0-9_./][A-Za-z0-9_./@+:,-]*)((?:[ \t][^;&|<>()`#\\\n\r!]*)?)$/.exec(line)
  return match?.[1] !== undefined && !shellWords.has(match[1])
}

/** Keywords and builtins of POSIX sh, dash and bash: `exec` before them fails or means something else. */
const shellWords = new Set(
  `. : [ alias bg bind break builtin caller case cd command compgen complete continue coproc declare dirs disown do done echo
  elif else enable esac eval exec exit export false fc fg fi for function getopts hash help history if in jobs kill let local
  logout mapfile popd printf pushd pwd read readarray readonly return select set shift shopt source suspend test then time
  times trap true type typeset ulimit umask unalias unset until wait while`.split(/\s+/),
)
