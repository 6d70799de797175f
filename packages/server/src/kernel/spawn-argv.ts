import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

export type { ChildProcess }

/** How a process is started. There is no field for a shell, and there will be none. */
export interface ArgvOptions extends Omit<SpawnOptions, 'shell' | 'windowsVerbatimArguments'> {
  /** The whole environment of the process; nothing is inherited unless it is named here. */
  readonly env: Readonly<Record<string, string>>
}

/** Starts a program with an argument vector. The only place in the code base that starts one. */
export type SpawnArgv = (file: string, args: readonly string[], options: ArgvOptions) => ChildProcess

export const spawnArgv: SpawnArgv = (file, args, options) => spawn(file, [...args], { ...options, shell: false })

export interface RunResult {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface RunOptions extends ArgvOptions {
  readonly input?: Uint8Array | string
  readonly signal?: AbortSignal
  /** Largest standard output kept, in bytes; more ends the program and rejects. Default 16 MiB. */
  readonly maxOutputBytes?: number
}

/**
 * Runs a program to its end and keeps its output. A non-zero exit is a value. Rejects when the program cannot be
 * started, is aborted, or writes more than `maxOutputBytes`.
 */
export async function runArgv(
  start: SpawnArgv,
  file: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const { input, maxOutputBytes = 16 * 1024 * 1024, ...rest } = options
  const child = start(file, args, { ...rest, stdio: ['pipe', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  let size = 0
  let stderr = ''
  child.stdin?.on('error', () => undefined) // the program may end without reading its input; its exit says why
  child.stdin?.end(input)
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < 65_536) stderr += text
  })
  return await new Promise<RunResult>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxOutputBytes) return void out.push(chunk)
      child.kill('SIGKILL')
      reject(new Error(`${file} wrote more than ${maxOutputBytes} bytes`))
    })
    child.once('error', reject)
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, stdout: Buffer.concat(out), stderr }))
  })
}
