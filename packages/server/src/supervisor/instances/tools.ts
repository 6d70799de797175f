import { accessSync, constants, readFileSync } from 'node:fs'
import type { LaunchTools } from './command.ts'

/** What of util-linux is here and how far its limits can go. Found out once, required never. */
export function findLaunchTools(options: {
  readonly ownUids: boolean
  readonly cgroup: 'v1' | 'v2' | 'none'
}): LaunchTools {
  return {
    prlimit: firstProgram('/usr/bin/prlimit', '/bin/prlimit'),
    setpriv: firstProgram('/usr/bin/setpriv', '/bin/setpriv'),
    maxOpenFiles: maxOpenFiles(readFileSync('/proc/self/limits', 'utf8')),
    limitProcessesByUid: options.ownUids && options.cgroup === 'none',
  }
}

function firstProgram(...paths: readonly string[]): string | undefined {
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** The hard limit in proc_pid_limits(5): the app's uid can lower it and never raise it. */
export function maxOpenFiles(limits: string): number {
  const hard = /^Max open files +\S+ +(\d+|unlimited)/m.exec(limits)?.[1]
  return hard === undefined || hard === 'unlimited' ? 1_048_576 : Number(hard)
}
