import { expect } from 'chai'
import { minutes } from '../../../core/domain/clock.ts'
import { type Siem, siem } from '../receivers/siem.ts'
import { type SinkWorld, sinkWorld } from './sink-world.ts'

export const sinkToken = 'c2VjcmV0-dG9rZW4'
export const httpKinds = ['splunk', 'elastic', 'fhir', 'http'] as const
export type HttpKind = (typeof httpKinds)[number]

/** What is typed to add a sink of a kind that goes to a test's receiver. */
export const optionsOf = (kind: HttpKind): Record<string, string> => ({
  token: sinkToken,
  http: 'yes',
  ...(kind === 'elastic' ? { index: 'audit' } : {}),
})

/** 0 to n-1: the whole log. */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
export const officer = { kind: 'user' as const, id: '@ada:clinic.example' }

export type SinkSuite = {
  world(): SinkWorld
  /** A receiver of a kind, stopped after the test. */
  receiver(kind: HttpKind): Promise<Siem>
  stopAfter<T extends { stop(): Promise<void> }>(receiver: T): T
  /** It has everything: in the order of first arrival, nothing missing. */
  complete(taken: readonly number[], size: number): void
  /** A failing sink need not wait out its back-off. */
  hurry(): void
}

/** Registers the hooks of a suite whose every test has a sink world of its own; to be called first in its `describe`. */
export const sinkSuite = (): SinkSuite => {
  let w: SinkWorld
  const receivers: { stop(): Promise<void> }[] = []
  beforeEach(async () => {
    w = await sinkWorld()
  })
  afterEach(async () => {
    await w.stop()
    for (const r of receivers.splice(0)) await r.stop()
  })
  const stopAfter = <T extends { stop(): Promise<void> }>(receiver: T): T => {
    receivers.push(receiver)
    return receiver
  }
  return {
    world: () => w,
    receiver: async kind => stopAfter(await siem(kind, sinkToken)),
    stopAfter,
    complete: (taken, size) => expect([...new Set(taken)].join()).to.equal(upTo(size).join()),
    hurry: () => w.db.store.clock.advance(minutes(10)),
  }
}
