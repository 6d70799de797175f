import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

/** Starts a program with an argument vector, never by a shell. The only place in the CLI that starts one. */
export type SpawnArgv = (file: string, args: readonly string[], options: Omit<SpawnOptions, 'shell'>) => ChildProcess

export const spawnArgv: SpawnArgv = (file, args, options) => spawn(file, [...args], { ...options, shell: false })

export interface RunResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end and keeps its output, as text. A non-zero exit is a value. */
export function runArgv(
  start: SpawnArgv,
  file: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<RunResult> {
  const { input, ...rest } = options
  const child = start(file, args, { ...rest, stdio: ['pipe', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin?.on('error', () => undefined) // it may end without reading; its exit says why
  child.stdin?.end(input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
}
