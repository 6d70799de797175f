import { runArgv, type SpawnArgv } from '../../kernel/spawn-argv.ts'

/** Copies files and folders into `target`, by cp(1): thousands of files would cost this process a second and its memory. */
export async function copyInto(target: string, sources: readonly string[], spawn: SpawnArgv): Promise<void> {
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' }
  const { exitCode, stderr } = await runArgv(spawn, 'cp', ['-R', '--', ...sources, target], { env })
  if (exitCode !== 0) throw new Error(`cannot copy to ${target}: ${stderr.trim()}`)
}
