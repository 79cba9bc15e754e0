"""Looks for free floating IPs as openstacksdk does, and prints what it found as JSON.

Usage: openstack-free-addresses.py ENDPOINT NETWORK GATEWAY-ADDRESS
"""

import json
import sys

import openstack

endpoint, outside, gateway = sys.argv[1:]
conn = openstack.connection.Connection(auth_type="none", endpoint=endpoint, floating_ip_source="neutron")
network = conn.network.find_network(outside, ignore_missing=False)
free = conn.network.create_ip(floating_network_id=network.id)


def address(floating_ip):
    return floating_ip and floating_ip.floating_ip_address


found = {
    "found": address(conn.network.find_ip(gateway)),
    "of_router": [address(one) for one in conn.network.ips(router_id=conn.network.find_ip(gateway).router_id)],
    "available": address(conn.network.find_available_ip()) == free.floating_ip_address,
    "attached": {one["floating_ip_address"]: one["attached"] for one in conn.list_floating_ips()}[gateway],
    "deleted": conn.delete_unattached_floating_ips(),
    "left": [one["floating_ip_address"] for one in conn.list_floating_ips()],
    "none_available": address(conn.network.find_available_ip()),
}
made = conn.available_floating_ip(network=outside)
found["made"] = made["floating_ip_address"] != gateway
conn.delete_floating_ip(made["id"])
print(json.dumps(found))
