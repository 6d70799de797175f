import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createDeploy, createSource } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { CommandError, type ExitCode, exitCodes } from '../../exit-codes.ts'
import { bytes, counted } from '../../output/words.ts'
import { findFiles } from '../../source-files.ts'
import { tarOf } from '../../source-tar.ts'
import { showStarted } from './retry.ts'

/** Sends the working tree as it is and deploys it. */
export async function run(context: Context, input: Input): Promise<ExitCode> {
  const client = await context.client()
  const [folder = '.'] = input.arguments
  const root = resolve(context.cwd, folder)
  const [app, environment] = [await context.app(), await context.environment()]
  if (!(await isFolder(root))) throw new CommandError(exitCodes.usage, `${root} is not a folder.`)
  const files = await findFiles(root)
  if (files.length === 0) throw new CommandError(exitCodes.usage, `There is no file to send in ${root}.`)
  let sent = 0
  const upload = tarOf(root, files, (size) => {
    sent += size
    context.terminal.status(`Sending ${counted(files.length, 'file')} … ${bytes(sent)}`)
  })
  const { content } = upload
  const sending = client.call(createSource, { query: { app_id: app }, upload: { content }, signal: context.signal })
  const source = await sending.catch((error: unknown) => {
    throw upload.failure() ?? error
  })
  context.terminal.status('')
  if (!context.isJson) context.terminal.say(`Sent ${counted(source.file_count, 'file')}, ${bytes(source.size_bytes)}.`)
  const body = { environment: { id: environment }, kind: 'upload' as const, source: { id: source.id } }
  return await showStarted(context, input, await client.call(createDeploy, { body }))
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isDirectory() === true
}
