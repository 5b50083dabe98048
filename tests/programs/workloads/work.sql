.bail on
create table item (id integer primary key, name text, price real, category integer);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
  insert into item select i, 'item ' || (i * 7919 % 10007), (i * 31 % 1000) / 10.0, i % 17 from n;
create index by_name on item (name);
create index by_category on item (category, price);
select category, count(*), round(sum(price), 2), min(name), max(name) from item group by category;
select name, price, rank() over (partition by category order by price desc, id) as r
  from item where category = 3 order by r limit 10;
create virtual table notes using fts5(body);
insert into notes select 'note about ' || name || ' in category ' || category from item where id % 5 = 0;
select count(*) from notes where notes match 'category';
select json_group_array(json_object('n', name, 'p', price)) from (select * from item order by id limit 50);
update item set price = price * 1.1 where category in (1, 2, 3);
delete from item where id % 3 = 0;
vacuum;
pragma integrity_check;
select count(*), round(total(price), 3) from item;
select * from no_such_table;
