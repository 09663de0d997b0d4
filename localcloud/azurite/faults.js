// Loaded into Azurite's process before Azurite itself: has requests fail that were asked to.
// Each fault to come is an empty file, as localcloud/storage_faults.py says; who removes it meets it.

const fs = require("fs");
const https = require("https");
const path = require("path");

const folder = process.env.LOCALCLOUD_STORAGE_FAULTS;
const busy = '<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code><Message>A fault on demand.</Message></Error>';

fs.mkdirSync(folder, { recursive: true, mode: 0o700 });

function nextFault() {
  const [first] = fs.readdirSync(folder).sort();
  if (first === undefined) return undefined;
  fs.unlinkSync(path.join(folder, first));
  const [, , seconds, ...kind] = first.split("-");
  return { kind: kind.join("-"), milliseconds: Number(seconds) * 1000 };
}

function refuse(response) {
  response.writeHead(503, { "x-ms-error-code": "ServerBusy", "content-type": "application/xml", connection: "close" });
  response.end(busy);
}

function loseAnswer(response) {
  response.write = () => true;
  response.end = () => response.socket.destroy();
}

const deliver = https.Server.prototype.emit;
https.Server.prototype.emit = function (event, request, response) {
  const pass = () => deliver.apply(this, arguments);
  // Who has no signature is no client of the lake: so the supervisor asks whether Azurite lives.
  if (!["request", "checkContinue"].includes(event) || !request.headers.authorization) return pass();
  const fault = nextFault();
  if (fault === undefined) return pass();
  if (fault.kind === "slow") return setTimeout(pass, fault.milliseconds).unref(); // holds up no stop
  if (fault.kind === "refuses") return refuse(response);
  loseAnswer(response);
  return pass();
};
