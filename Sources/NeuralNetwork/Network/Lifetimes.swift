/// When each value, gradient and scratch is needed, and from this the buffers that they share.
struct Lifetimes {
    enum Item: Hashable {
        case value(NetworkValue)
        case gradient(NetworkValue)
        case scratch(node: Int, input: Int)
    }

    private var shapes: [Item: NetworkDescription.Shape] = [:]
    private var times: [Item: ClosedRange<Int>] = [:]
    /// Items in the order in which they were first noted.
    private var order: [Item] = []
    /// Items that lie in another's buffer.
    private var hosts: [Item: Item] = [:]

    /// An item is needed at a time.
    mutating func note(_ item: Item, at time: Int, shape: NetworkDescription.Shape) {
        if let known = times[item] {
            times[item] = min(known.lowerBound, time)...max(known.upperBound, time)
        } else {
            times[item] = time...time
            shapes[item] = shape
            order.append(item)
        }
    }

    /// Two items lie in one buffer.
    mutating func join(_ item: Item, _ host: Item) { hosts[item] = host }

    /// A buffer for each item: two share one if they have the same shape, and one is needed no more before the other is first.
    func buffers() -> [Item: Plan.Buffer] {
        var needed: [Item: ClosedRange<Int>] = [:]
        for item in order {
            let (host, own) = (host(of: item), times[item] ?? 0...0)
            let known = needed[host] ?? own
            needed[host] = min(known.lowerBound, own.lowerBound)...max(known.upperBound, own.upperBound)
        }
        // The last time at which each buffer of a shape is in use.
        var busy: [NetworkDescription.Shape: [Int]] = [:]
        var places: [Item: Plan.Buffer] = [:]
        let starts = order.enumerated().filter { host(of: $1) == $1 }.compactMap { place, item in
            needed[item].map { (item: item, times: $0, place: place) }
        }
        for (item, times, _) in starts.sorted(by: { ($0.times.lowerBound, $0.place) < ($1.times.lowerBound, $1.place) })
        {
            guard let shape = shapes[item] else { continue }
            let number = busy[shape, default: []].firstIndex { $0 < times.lowerBound } ?? busy[shape, default: []].count
            if number == busy[shape]?.count ?? 0 {
                busy[shape, default: []].append(times.upperBound)
            } else {
                busy[shape]?[number] = times.upperBound
            }
            places[item] = Plan.Buffer(shape: shape, number: number)
        }
        for item in order { places[item] = places[host(of: item)] }
        return places
    }

    private func host(of item: Item) -> Item { hosts[item].map { host(of: $0) } ?? item }
}
