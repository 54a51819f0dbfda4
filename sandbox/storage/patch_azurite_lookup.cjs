// Azurite looks for a row by its partition first and goes through all of it: the larger a mailbox, the slower each
// write. Asked by the row's key first, its own index finds the row at once.
const { Collection } = require("lokijs");
const { findOne } = Collection.prototype;
Collection.prototype.findOne = function (query) {
  const { RowKey, ...others } = query ?? {};
  return findOne.call(this, RowKey === undefined ? query : { RowKey, ...others });
};
