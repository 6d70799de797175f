import { closeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import type { Clock } from '../../kernel/clock.ts'
import { isSystemError } from '../../kernel/errors.ts'
import type { SpawnArgv } from '../../kernel/spawn-argv.ts'
import type { ProgramReport } from '../../kernel/supervised-program.ts'
import { isAlive, processTable } from '../instances/processes.ts'

/** One life of a program: a child of this supervisor, or one that an earlier supervisor left. */
export interface ProgramProcess {
  readonly pid: number
  readonly startedAt: Date
  /** What it said of itself; undefined when it ended without a word. An adopted one is ready. */
  readonly report: Promise<ProgramReport | undefined>
  /** Resolves with the end in words, when nothing of its process group is left either. Never rejects. */
  readonly ended: Promise<string>
  signal(signal: NodeJS.Signals): void
}

export interface ProgramStart {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly folder: string
  /** Descriptors that the process gets, from 4 on; 3 takes its report. */
  readonly sockets: readonly number[]
  /** Opens the file that its output is appended to. */
  readonly openLog: () => number
}

interface StartDeps {
  readonly spawn: SpawnArgv
  readonly clock: Clock
}

/** Starts the leader of a new process group and session, which outlives this supervisor. */
export function startProgram(start: ProgramStart, { spawn, clock }: StartDeps): ProgramProcess {
  const log = start.openLog()
  const child = spawn(start.file, start.args, {
    env: {
      ...start.env,
      GANTRY_READY_FD: '3',
      GANTRY_LISTEN_FDS: start.sockets.map((_, index) => index + 4).join(','),
    },
    cwd: start.folder,
    detached: true,
    stdio: ['ignore', log, log, 'pipe', ...start.sockets],
  })
  closeSync(log)
  const { pid } = child
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      if (pid !== undefined) killGroup(pid)
      resolve(signal ? `was ended by ${signal}` : `ended with status ${code}`)
    })
  })
  return {
    pid: pid ?? 0,
    startedAt: clock.now(),
    report: readReport(child.stdio[3] as Readable),
    ended,
    signal: (signal) => void child.kill(signal),
  }
}

/** Takes over a process that another supervisor started. Its end is seen within `pollMs`, its status by nobody. */
export function adoptProgram(pid: number, startTicks: number, clock: Clock, pollMs = 100): ProgramProcess {
  const watch = async () => {
    while (isAlive(pid, startTicks, processTable)) await clock.wait(pollMs)
    killGroup(pid)
    return 'ended, unseen'
  }
  return {
    pid,
    startedAt: clock.now(),
    report: Promise.resolve({ ready: true }),
    ended: watch(),
    signal(signal) {
      if (isAlive(pid, startTicks, processTable)) signalQuietly(pid, signal)
    },
  }
}

/** Children of a program that was killed, such as git under the control plane: their group keeps its number until they end. */
function killGroup(leader: number): void {
  signalQuietly(-leader, 'SIGKILL')
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!isSystemError(error, 'ESRCH')) throw error
  }
}

/** The first line of the pipe. Whoever inherited it may hold it open, so the line counts and not its end. */
function readReport(pipe: Readable): Promise<ProgramReport | undefined> {
  return new Promise((resolve) => {
    let text = ''
    const finish = () => {
      pipe.destroy()
      resolve(parseReport(text))
    }
    pipe.setEncoding('utf8')
    pipe.on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\n')) finish()
    })
    pipe.once('close', finish)
    pipe.once('error', finish)
  })
}

function parseReport(text: string): ProgramReport | undefined {
  try {
    return JSON.parse(text.split('\n')[0] ?? '') as ProgramReport
  } catch {
    return undefined
  }
}
