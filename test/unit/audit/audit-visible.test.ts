import { expect } from 'chai'
import { auditActions, clearObjectKinds } from '../../../core/domain/audit/event.ts'
import type { AuditRecord } from '../../../core/domain/audit/record.ts'
import { shownTo, visibleActions } from '../../../core/domain/audit/visible.ts'
import { roles } from '../../../core/domain/roles.ts'

const entry = (more: Partial<AuditRecord> = {}): AuditRecord => ({
  idx: 1,
  id: 1,
  at: 0,
  actor: { kind: 'user', ref: '@ann:clinic.example' },
  action: 'command.run',
  object: { kind: 'command', ref: 'patient add' },
  outcome: 'done',
  patient: 'P',
  room: 'R',
  origin: 'O',
  ...more,
})

describe('what a role sees of the audit log', () => {
  it('is everything for compliance, how the service is run for an administrator, and nothing for the others', () => {
    expect(visibleActions(['compliance'])).to.deep.equal(auditActions)
    for (const role of roles.filter(r => r !== 'compliance' && r !== 'admin')) {
      expect(visibleActions([role])).to.deep.equal([])
      expect(shownTo([role], entry())).to.equal(null)
    }
    const own =
      /^(command|config|retention|role|approval|template|status|service|crypto|event|job|request|transaction|webhook|sink|alert|checkpoint|admin|oncall)\./
    const also = ['audit.export', 'audit.verify', 'audit.digest', 'audit.key_rotate', 'audit.prune', 'device.change']
    expect(visibleActions(['admin']).filter(a => !own.test(a) && !also.includes(a))).to.deep.equal([])
    expect(visibleActions(['desk', 'admin'])).to.deep.equal(visibleActions(['admin']))
  })

  it('leaves an administrator nothing that leads to a patient, whatever the entry holds', () => {
    for (const action of auditActions)
      for (const kind of [
        'patient',
        'person',
        'room',
        'link',
        'session',
        'text',
        'event',
        ...clearObjectKinds,
      ] as const)
        for (const actor of ['user', 'person', 'anonymous', 'service'] as const) {
          const seen = shownTo(
            ['admin'],
            entry({ action, object: { kind, ref: 'X' }, actor: { kind: actor, ref: 'A' } }),
          )
          if (!seen) continue
          expect(seen).to.not.have.any.keys('patient', 'room', 'origin')
          expect(seen.object.ref).to.equal((clearObjectKinds as readonly string[]).includes(kind) ? 'X' : '')
          expect(seen.actor.ref).to.equal(actor === 'person' || actor === 'anonymous' ? '' : 'A')
        }
    expect(shownTo(['admin', 'compliance'], entry())).to.deep.equal(entry())
  })
})
