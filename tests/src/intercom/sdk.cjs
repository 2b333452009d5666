// Drives the stand-in by the vendor's official SDK: writes, reads back, and prints what it read. With
// `look` as the last argument it only reads.
const { IntercomClient } = require("intercom-client");

const [url, token, version, conversation, admin, team] = process.argv.slice(2);
const client = new IntercomClient({ token, baseUrl: url, version, maxRetries: 0 });

// Reads what somebody else wrote to a conversation; writes nothing.
async function look() {
  const found = await client.conversations.search({
    query: { field: "team_assignee_id", operator: "=", value: Number(team) },
  });
  const searched = [];
  for await (const one of found) searched.push(one.id);
  const read = await client.conversations.find({ conversation_id: conversation });
  const parts = read.conversation_parts.conversation_parts;
  console.log(
    JSON.stringify({
      searched,
      tags: read.tags.tags.map((one) => one.name),
      team: read.team_assignee_id,
      attributes: read.custom_attributes,
      parts: parts.map((part) => [part.part_type, part.author.id, part.body]),
    }),
  );
}

async function main() {
  const admins = await client.admins.list();
  const said = await client.conversations.reply({
    conversation_id: conversation,
    body: { message_type: "comment", type: "admin", admin_id: admin, body: "It is on its way." },
  });
  await client.conversations.reply({
    conversation_id: conversation,
    body: { message_type: "note", type: "admin", admin_id: admin, body: "Routed to Billing" },
  });
  const tag = await client.tags.create({ name: "billing" });
  await client.tags.tagConversation({
    conversation_id: conversation,
    id: tag.id,
    admin_id: admin,
  });
  await client.conversations.manage({
    conversation_id: conversation,
    body: { message_type: "assignment", type: "team", admin_id: admin, assignee_id: team },
  });
  const found = await client.conversations.search({
    query: { field: "team_assignee_id", operator: "=", value: Number(team) },
  });
  const read = await client.conversations.find({ conversation_id: conversation });
  const searched = [];
  for await (const one of found) searched.push(one.id);
  console.log(
    JSON.stringify({
      admins: admins.admins.map((one) => one.id),
      said: said.conversation_parts.conversation_parts.map((part) => part.body),
      searched,
      tags: read.tags.tags.map((one) => one.name),
      team: read.team_assignee_id,
      parts: read.conversation_parts.conversation_parts.map((part) => [part.part_type, part.body]),
    }),
  );
}

(process.argv[8] === "look" ? look() : main()).catch((error) => {
  console.error(error);
  process.exit(1);
});
