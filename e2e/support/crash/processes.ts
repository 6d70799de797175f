/** Every process that belongs to one platform, by what the machine says of it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface PlatformProcess {
  readonly pid: number
  readonly parent: number
  readonly group: number
  /** GANTRY_INSTANCE_ID of its environment. */
  readonly mark: string
  readonly command: string
}

/** Living processes with the home in their environment, command line or working folder. */
export function processesOf(home: string): readonly PlatformProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return []
    const [stat, environ, command] = ['stat', 'environ', 'cmdline'].map((file) => readProc(name, file))
    const fields = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ')
    if (!stat || fields[0] === 'Z') return []
    const isOurs = environ?.includes(home) || command?.includes(home) || folderOf(name).startsWith(home)
    if (!isOurs) return []
    const mark = /(?:^|\0)GANTRY_INSTANCE_ID=([^\0]*)/.exec(environ ?? '')?.[1] ?? ''
    const words = (command ?? '').replaceAll('\0', ' ').trim()
    return [{ pid: Number(name), parent: Number(fields[1]), group: Number(fields[2]), mark, command: words }]
  })
}

function readProc(pid: string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return undefined // ended meanwhile
  }
}

function folderOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}

export function isRunning(pid: number): boolean {
  const stat = readProc(String(pid), 'stat')
  return stat !== undefined && !/\) [ZX] /.test(stat)
}

export interface ExpectedProcesses {
  readonly supervisor: number
  /** By name: control-plane, router, postgres. */
  readonly programs: ReadonlyMap<string, number>
  readonly instanceIds: ReadonlySet<string>
}

/** Those that no part of the platform, no instance and no child of theirs accounts for; and what is missing. */
export function strayProcesses(home: string, expected: ExpectedProcesses): readonly string[] {
  const all = processesOf(home)
  const byPid = new Map(all.map((process) => [process.pid, process]))
  const roots = new Set([expected.supervisor, ...expected.programs.values()])
  const belongs = (process: PlatformProcess): boolean => {
    if (roots.has(process.pid)) return true
    if (expected.instanceIds.has(process.mark)) return true
    const isChild = process.mark === '' || (process.mark.startsWith('program:') && process.group !== process.pid)
    const parent = byPid.get(process.parent)
    return isChild && parent !== undefined && belongs(parent)
  }
  const strays = all.filter((process) => !belongs(process))
  const missing = [...expected.instanceIds].filter((id) => !all.some(({ mark }) => mark === id))
  return [
    ...strays.map(
      ({ pid, parent, mark, command }) => `process ${pid} (of ${parent}, ${mark || 'no mark'}): ${command}`,
    ),
    ...missing.map((id) => `no process of ${id}`),
  ]
}
