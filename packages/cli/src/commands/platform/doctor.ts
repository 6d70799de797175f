import { access, constants, stat } from 'node:fs/promises'
import { getPlatform, type Platform } from '@gantry/api'
import type { Context } from '../../context.ts'
import { type ExitCode, exitCodes } from '../../exit-codes.ts'
import { runArgv } from '../../kernel/spawn-argv.ts'
import { wrap } from '../../output/help.ts'
import { markOf } from '../../output/marks.ts'
import { describeError } from '../../report-error.ts'
import { serverCommand } from '../../server-program.ts'

interface Finding {
  readonly name: string
  readonly status: 'ok' | 'warning' | 'failed'
  readonly message: string
}

export async function run(context: Context): Promise<ExitCode> {
  const local = [await checkGit(context), checkServer(), await checkHome(context)]
  const platform = await askPlatform(context)
  const findings = [...local, ...(platform.answer?.checks ?? []), ...(platform.finding ? [platform.finding] : [])]
  const isFine = findings.every((finding) => finding.status !== 'failed')
  if (context.isJson) {
    const { isolation_level, isolation, missing } = platform.answer ?? {}
    context.terminal.json({ checks: findings, isolation_level, isolation, missing })
  } else show(context, findings, platform.answer)
  return isFine ? exitCodes.ok : exitCodes.failed
}

async function checkGit({ spawnArgv, env }: Context): Promise<Finding> {
  const asked = await runArgv(spawnArgv, 'git', ['--version'], { env: { ...env } }).catch(() => undefined)
  if (asked?.exitCode === 0) return { name: 'git', status: 'ok', message: asked.stdout.trim() }
  return { name: 'git', status: 'failed', message: 'git is not installed. On Debian: apt-get install git' }
}

function checkServer(): Finding {
  try {
    return { name: 'server', status: 'ok', message: `runs by ${serverCommand().file}` }
  } catch (error) {
    return { name: 'server', status: 'warning', message: error instanceof Error ? error.message : String(error) }
  }
}

async function checkHome({ home }: Context): Promise<Finding> {
  const found = await stat(home).catch(() => undefined)
  if (!found) return { name: 'home', status: 'warning', message: `${home} is not there yet: gantry up makes it` }
  const isWritable = await access(home, constants.W_OK).then(
    () => true,
    () => false,
  )
  if (isWritable) return { name: 'home', status: 'ok', message: home }
  return { name: 'home', status: 'failed', message: `${home} cannot be written by this user` }
}

async function askPlatform(context: Context): Promise<{ answer?: Platform; finding?: Finding }> {
  try {
    return { answer: await (await context.client()).call(getPlatform) }
  } catch (error) {
    const { message, hint } = describeError(error)
    return { finding: { name: 'platform', status: 'failed', message: [message, hint].filter(Boolean).join(' ') } }
  }
}

function show({ terminal }: Context, findings: readonly Finding[], platform: Platform | undefined): void {
  for (const finding of findings) {
    terminal.print(`${markOf(finding.status, terminal)} ${finding.name.padEnd(12)} ${finding.message}`)
  }
  if (!platform) return
  terminal.print('')
  const width = Math.min(terminal.columns, 120) - 4
  terminal.print(terminal.style('bold', `Isolation level ${platform.isolation_level} of 4`))
  for (const line of wrap(platform.isolation, width)) terminal.print(`  ${line}`)
  if (platform.missing.length > 0) terminal.print('For the next level:')
  for (const sentence of platform.missing) {
    for (const [index, line] of wrap(sentence, width).entries())
      terminal.print(`${index === 0 ? '  - ' : '    '}${line}`)
  }
}
