/** What the records bot says when it comes into a room: staff write English or Spanish, so both. */
export const noticeWords = [
  'Records are kept of this room, as the clinic’s policy says: its messages can be opened only by compliance officers together, on an approved request that is logged.',
  'Se conservan registros de esta sala, según la política de la clínica: solo los responsables de cumplimiento, juntos y con una solicitud aprobada y registrada, pueden abrir sus mensajes.',
].join('\n\n')
