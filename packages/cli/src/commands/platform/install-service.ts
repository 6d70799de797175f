import { access, writeFile } from 'node:fs/promises'
import { flag, type Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { CommandError, exitCodes } from '../../exit-codes.ts'
import { runArgv } from '../../kernel/spawn-argv.ts'
import { serverCommand } from '../../server-program.ts'
import { systemdUnit } from '../../systemd-unit.ts'

const path = '/etc/systemd/system/gantry.service'

export async function run(context: Context, input: Input): Promise<void> {
  const unit = systemdUnit({ ...serverCommand(), home: context.home, env: context.env })
  context.terminal.write(unit)
  if (flag(input, 'print')) return
  const isWritten = await writeFile(path, unit, { mode: 0o644 }).then(
    () => true,
    () => false,
  )
  if (!isWritten) {
    throw new CommandError(
      exitCodes.denied,
      `${path} cannot be written by this user.`,
      'As root: sudo gantry service install',
    )
  }
  context.terminal.say(`Written to ${path}.`)
  await enable(context)
}

async function enable({ terminal, spawnArgv, env }: Context): Promise<void> {
  const runs = await access('/run/systemd/system').then(
    () => true,
    () => false,
  )
  if (!runs) return terminal.say('systemd does not run here. Where it does: systemctl enable --now gantry')
  for (const args of [['daemon-reload'], ['enable', '--now', 'gantry.service']]) {
    const done = await runArgv(spawnArgv, 'systemctl', args, { env: { ...env } })
    if (done.exitCode !== 0)
      throw new CommandError(exitCodes.failed, `systemctl ${args.join(' ')}: ${done.stderr.trim()}`)
  }
  terminal.say('Gantry is started now and with the machine: systemctl status gantry')
}
