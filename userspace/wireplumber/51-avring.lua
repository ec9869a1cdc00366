-- SPDX-License-Identifier: MIT
--
-- avring, for WirePlumber 0.4: the same as 51-avring.conf, which says more.

table.insert(alsa_monitor.rules, {
  matches = { { { "node.name", "matches", "alsa_output.avring*" } } },
  apply_properties = { ["priority.session"] = 100 },
})
table.insert(alsa_monitor.rules, {
  matches = { { { "node.name", "matches", "alsa_input.avring*" } } },
  apply_properties = { ["priority.session"] = 1100 },
})
