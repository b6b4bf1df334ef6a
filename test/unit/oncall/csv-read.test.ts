import { expect } from 'chai'
import { type CsvReading, readCsv } from '../../../core/oncall/calendar/csv/read-csv.ts'
import { decodeText } from '../../../core/oncall/calendar/decode.ts'
import { runtimeZones } from '../../../core/time-zones.ts'

const zones = runtimeZones()
const read = (text: string, more: Partial<CsvReading> = {}) =>
  readCsv(text, { zones, zone: 'Europe/Madrid', from: Date.UTC(2026, 0, 1), until: Date.UTC(2028, 0, 1), ...more })
const shown = (text: string, more: Partial<CsvReading> = {}) => {
  const { shifts, problems } = read(text, more)
  expect(problems).to.deep.equal([])
  return shifts.map(
    s => `${new Date(s.from).toISOString().slice(0, 16)} ${new Date(s.to).toISOString().slice(0, 16)} ${s.name}`,
  )
}
const told = (text: string, more: Partial<CsvReading> = {}) => {
  const { shifts, problems } = read(text, more)
  expect(shifts).to.deep.equal([])
  return problems.map(p => `${p.effect} ${p.code} ${p.line ?? '-'}`)
}
const oneNight = ['2026-11-22T18:00 2026-11-23T06:00 Ann Smith']

describe('reading duties from a table', () => {
  it('English and Spanish headers, commas, semicolons and tabs, quotes, a byte order mark', () => {
    for (const text of [
      'Name,Start,End\nAnn Smith,2026-11-22 19:00,2026-11-23 07:00\n',
      '\uFEFF"Médico";"Inicio";"Fin"\r\n"Ann Smith";"2026-11-22T19:00";"2026-11-23T07:00"\r\n',
      'Turno\tProfesional\tFecha\tHora de inicio\tHora de fin\nNoche\tAnn Smith\t2026-11-22\t19:00\t07:00',
      'Nombre;Fecha;Hora inicio;Hora fin\nAnn Smith;22.11.2026;19:00;07:00',
      'sep=;\nProvider;Start Date;Start Time;End Date;End Time\nAnn  Smith;22 Nov 2026;7:00 PM;Nov 23, 2026;7:00 AM',
      'De guardia,Desde,Hasta\nAnn Smith,22 de noviembre de 2026 19h00,23 de noviembre de 2026 7:00 a. m.',
      'who,from,until\nAnn Smith,2026-11-22T18:00:00Z,2026-11-23T07:00:00+01:00',
    ])
      expect(shown(text), text).to.deep.equal(oneNight)
  })

  it('first and last names in columns of their own; an address beside the name; ids of the source', () => {
    const [shift] = read(
      'id,Apellidos,Nombre,Correo,Puesto,Inicio,Fin\nG-7,"García, López",Ana,Ana@Clinic.example,"Guardia ""A""",2026-11-22 08:00,2026-11-22 15:00',
    ).shifts
    expect(shift).to.deep.include({
      name: 'García, López, Ana',
      uid: 'G-7',
      summary: 'Guardia "A"',
      contacts: ['ana@clinic.example'],
    })
  })

  it('a date that can be read in two ways is asked about, with its line; the answer decides', () => {
    const text = 'name,start,end\nAnn Smith,03/04/2027 08:00,03/04/2027 16:00'
    expect(told(text)).to.deep.equal(['question ambiguous-date 2'])
    expect(read(text).problems[0]?.sentence).to.contain('“03/04/2027 08:00”')
    expect(shown(text, { dates: 'day-first' })).to.deep.equal(['2027-04-03T06:00 2027-04-03T14:00 Ann Smith'])
    expect(shown(text, { dates: 'month-first' })).to.deep.equal(['2027-03-04T07:00 2027-03-04T15:00 Ann Smith'])
  })

  it('one date that allows a single reading settles all of them; contradictory ones are refused', () => {
    const rows = (...dates: string[]) =>
      `name,date,start time,end time\n${dates.map(d => `Ann,${d},08:00,09:00`).join('\n')}`
    expect(shown(rows('03/04/2027', '13/04/2027'))[0]).to.contain('2027-04-03')
    expect(shown(rows('3/4/27', '3/13/27'))[0]).to.contain('2027-03-04')
    expect(told(rows('13/04/2027', '04/13/2027'))).to.deep.equal(['refused mixed-dates 3'])
  })

  it('dates alone are whole days with the last one included, and begin when the clinic says', () => {
    const text = 'name,start date,end date\nAnn Smith,2027-03-27,2027-03-28\nBob,2027-03-29,'
    expect(shown(text, { dayStart: 8 * 60 })).to.deep.equal([
      '2027-03-27T07:00 2027-03-29T06:00 Ann Smith',
      '2027-03-29T06:00 2027-03-30T06:00 Bob',
    ])
  })

  it('a column of time zones counts over the schedule’s', () => {
    const text = 'name,start,end,time zone\nAnn Smith,2026-11-22 13:00,2026-11-23 01:00,America/New_York'
    expect(shown(text)).to.deep.equal(oneNight)
  })

  it('what cannot be read refuses the whole table, with the line where the row begins', () => {
    const head = 'name,start,end\n'
    expect(told('')).to.deep.equal(['refused header 1'])
    expect(told('foo,bar\n1,2')).to.deep.equal(['refused header 1'])
    expect(told('name,start,from\nAnn,2026-11-22,2026-11-22')).to.deep.equal(['refused header 1'])
    expect(told(`${head}"Ann\nSmith",2026-11-22,2026-11-22\nBob,tomorrow,2026-11-22`)).to.deep.equal([
      'refused malformed-time 4',
    ])
    expect(told(`${head}Ann,2026-02-30,2026-03-01`)).to.deep.equal(['refused malformed-time 2'])
    expect(told(`${head}Ann,2026-11-22 25:00,2026-11-23 01:00`)).to.deep.equal(['refused malformed-time 2'])
    expect(told(`${head}Ann,2026-11-22 08:00,2026-11-22 08:00`)).to.deep.equal(['refused malformed-time 2'])
    expect(told(`${head}Ann,2026-11-22 08:00,`)).to.deep.equal(['refused malformed-time 2'])
    expect(told(`${head}"Ann,2026-11-22,2026-11-22`)).to.deep.equal(['refused malformed 2'])
    expect(told(`${head}Ann,2026-11-22,2026-11-22`, { zone: 'Mars/Olympus' })).to.deep.equal(['refused unknown-zone 2'])
  })

  it('a row without a name is left out and told: the gap shows', () => {
    const { shifts, problems } = read(
      'name,start,end\nAnn,2026-11-22 08:00,2026-11-22 09:00\n,2026-11-22 09:00,2026-11-22 10:00',
    )
    expect(shifts).to.have.lengthOf(1)
    expect(problems.map(p => `${p.effect} ${p.code} ${p.line}`)).to.deep.equal(['note no-name 3'])
  })

  it('50 MB, endless rows and rows without end are refused', () => {
    const head = 'name,start,end\n'
    expect(told(head + 'x'.repeat(50 * 1024 * 1024))).to.deep.equal(['refused too-large -'])
    expect(told(`${head}${'x'.repeat(200_000)},2026-11-22,2026-11-22`)[0]).to.match(/^refused line-too-long/)
    expect(told(head + 'Ann,2026-11-22,2026-11-22\n'.repeat(101), { limits: { rows: 100 } })).to.deep.equal([
      'refused too-many-rows -',
    ])
  })

  it('files that Excel saved without UTF-8 are read too', () => {
    const latin = Uint8Array.from(Buffer.from('nombre;inicio;fin\nMaría Núñez;2026-11-22;2026-11-22', 'latin1'))
    expect(read(decodeText(latin)).shifts[0]?.name).to.equal('María Núñez')
    const wide = new Uint8Array([0xff, 0xfe, ...Buffer.from('nombre\tinicio\nMaría\t2026-11-22', 'utf16le')])
    expect(read(decodeText(wide)).shifts[0]?.name).to.equal('María')
  })
})
