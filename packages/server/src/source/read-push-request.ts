import { isOid, type Oid, type PacketStream, PktLineError, StreamCutOff } from '../clients/git/index.ts'
import { UserError } from '../kernel/errors.ts'
import type { PushRequest, RefCommand } from './push.ts'

const maxCommands = 5000
const maxOptions = 64
const maxOptionBytes = 1024

/**
 * Reads what stands before the pack: shallow lines, commands, and push options (gitprotocol-pack(5), "Reference Update
 * Request and Packfile Transfer"). Throws `invalid_request` on anything else.
 */
export async function readPushRequest(packets: PacketStream): Promise<PushRequest> {
  const shallow: Oid[] = []
  const commands: RefCommand[] = []
  let capabilities: readonly string[] = []
  for await (const line of section(packets)) {
    const limit = /^shallow ([0-9a-f]{40})$/.exec(line)?.[1]
    if (limit !== undefined) {
      shallow.push(limit)
    } else {
      const [command = '', list] = line.split('\0', 2)
      if (commands.length === 0) capabilities = (list ?? '').trim().split(' ').filter(Boolean)
      commands.push(parseCommand(command))
    }
    if (commands.length + shallow.length > maxCommands) throw malformed(`names more than ${maxCommands} refs`)
  }
  const format = capabilities.find((text) => text.startsWith('object-format='))
  if (format !== undefined && format !== 'object-format=sha1') throw malformed('uses an object format other than sha1')
  const options = capabilities.includes('push-options') ? await readOptions(packets) : []
  const has = (...names: string[]): boolean => names.some((name) => capabilities.includes(name))
  return {
    commands,
    options,
    shallow,
    capabilities: {
      sideBand: has('side-band-64k'),
      reportStatus: has('report-status', 'report-status-v2'),
      atomic: has('atomic'),
      quiet: has('quiet'),
    },
  }
}

async function readOptions(packets: PacketStream): Promise<readonly string[]> {
  const options: string[] = []
  for await (const line of section(packets)) {
    if (Buffer.byteLength(line) > maxOptionBytes) throw malformed(`has an option of more than ${maxOptionBytes} bytes`)
    options.push(line)
    if (options.length > maxOptions) throw malformed(`has more than ${maxOptions} options`)
  }
  return options
}

/** The lines up to the next flush packet. An empty request (git asks with one whether it may push) has none. */
async function* section(packets: PacketStream): AsyncGenerator<string> {
  for (;;) {
    const packet = await packets.next().catch((error: unknown) => {
      if (error instanceof PktLineError || error instanceof StreamCutOff) throw malformed(error.message)
      throw error
    })
    if (!packet) throw malformed('ends before its commands do')
    if (packet.kind === 'flush') return
    if (packet.kind !== 'data') throw malformed('has a packet that does not belong there')
    yield packet.payload.toString('utf8').replace(/\n$/, '')
  }
}

function parseCommand(text: string): RefCommand {
  const [from = '', to = '', ...name] = text.split(' ')
  const ref = name.join(' ')
  if (from === 'push-cert') throw malformed('is signed, which Gantry does not check: push without --signed')
  if (!isOid(from) || !isOid(to) || ref === '' || ref.includes('\n')) throw malformed('has a line that is no command')
  return { ref, from, to }
}

function malformed(how: string): UserError {
  return new UserError('invalid_request', `This push cannot be read: it ${how}.`)
}
