import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readMachineSettings } from './machine-settings.ts'

describe('what builds are told of the machine', () => {
  it('is proxies, certificates and registries, from the environment and npmrc files', () => {
    const settings = readMachineSettings(
      {
        HTTPS_PROXY: 'http://proxy:3128',
        NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
        NPM_CONFIG_REGISTRY: 'https://ada:secret@npm.example.com/',
        npm_config_strict_ssl: 'false',
      },
      [
        '; a comment\nregistry = https://first.example.com/\ncafile=/etc/ca.pem\n@acme:registry=https://acme.example.com/',
      ],
    )
    assert.deepEqual(settings.env, { HTTPS_PROXY: 'http://proxy:3128', NODE_EXTRA_CA_CERTS: '/etc/ca.pem' })
    assert.deepEqual(settings.npmrc.trim().split('\n').sort(), [
      '@acme:registry=https://acme.example.com/',
      'cafile=/etc/ca.pem',
      'registry=https://npm.example.com/',
      'strict-ssl=false',
    ])
  })

  it('is no credential and nothing else', () => {
    const settings = readMachineSettings(
      { DATABASE_URL: 'x', GANTRY_HOME: 'x', npm_config__auth: 'x', npm_config_ignore_scripts: 'true', NPM_TOKEN: 'x' },
      ['//npm.example.com/:_authToken=secret\n_auth=secret\nignore-scripts=true\nuserconfig=/root/.npmrc'],
    )
    assert.deepEqual(settings, { env: {}, npmrc: '' })
  })
})
